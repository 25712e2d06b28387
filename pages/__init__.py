"""The app's pages: a package, so that no other `pages` on the path is taken for it."""
