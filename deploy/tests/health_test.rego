package system.health_test

import data.system.health

test_ready if health.ready with data.payer.catalogue as {"documents": [{}]}

test_not_ready_without_documents if not health.ready with data.payer.catalogue as {"documents": []}

test_not_ready_without_the_policy if not health.ready

test_alive_without_the_policy if health.live
