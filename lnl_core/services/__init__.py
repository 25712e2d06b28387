"""What a person does, a function each, in rooms by page; pages and command line call only these.

The import says which room serves: `from lnl_core.services.review import desk`. A data set is found
once, in `workspace`, and travels as a `DatasetInfo`. Nothing here imports torch: training happens
in the worker's process.
"""
