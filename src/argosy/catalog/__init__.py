"""Names for what lies in the artifact store: datasets, models, tags, workflows; their versions, and who used which.

Above the record and the store, below the runners: it knows names and digests, not how a run is driven.
"""
