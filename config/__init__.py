"""The site: settings, addresses of the pages, and how a server starts it."""
