"""Files that a page hands out."""

from __future__ import annotations

from starlette.responses import Response


def download(name: str, data: bytes, kind: str) -> Response:
    """Saved by the browser, never shown as a page of the site."""
    return Response(data, media_type=kind, headers={"Content-Disposition": f'attachment; filename="{name}"'})
