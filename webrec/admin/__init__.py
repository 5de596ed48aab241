"""[6] What operators and editors see and change: campaigns, labels, models, the clusters.

One module for each resource of the HTTP interface. The service and the command line share them:
both say the same.
"""
