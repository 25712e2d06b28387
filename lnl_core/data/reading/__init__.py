"""What an import understood of a source, before anything is stored: files, classes, questions.

The nouns are in `lnl_core.readings`; every module here finds one kind of question.
"""
