"""Who runs the site: signing in by a link that works once, and the list of members."""

from solon.web.members.pages import PAGES

__all__ = ["PAGES"]
