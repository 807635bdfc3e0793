"""What an analyst does with many requests: decide files of them, replay, compare versions and their impact."""
