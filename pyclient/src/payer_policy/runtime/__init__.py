"""What a service needs to have requests decided; nothing of the other rooms."""
