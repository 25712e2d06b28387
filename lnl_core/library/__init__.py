"""The front door's functions; `lnl_core` itself offers them."""
