"""What a test plays on: OPA in containers, bundles, production as compose and Kubernetes have it, callers, attacks."""
