# METADATA
# title: Ready to decide
# description: Asked as /health/ready; /health alone is content without a policy.
package system.health

ready if count(data.payer.catalogue.documents) > 0
