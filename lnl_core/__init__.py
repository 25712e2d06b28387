"""LNL Review: find, see and fix the wrong labels of an image set.

The library under the app: `import lnl_core` pulls in neither Streamlit nor torch.
"""

__version__ = "0.1.0"
