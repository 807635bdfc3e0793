# METADATA
# title: Alive, and ready to decide
# description: Asked as /health/live and /health/ready, without a token. /health alone is content without a policy.
package system.health

# A restart would bring no policy.
live := true

ready if count(data.payer.catalogue.documents) > 0
