"""What does every answer tell the browser to refuse? Everything that is not ours."""

from __future__ import annotations

from flask import Flask, Response, request

POLICY = "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"


def add_headers(app: Flask, *, https: bool) -> None:
    """Set the headers on every answer. Only a site reached over https tells browsers to insist on it."""

    @app.after_request
    def protect(response: Response) -> Response:
        headers = response.headers
        headers["Content-Security-Policy"] = POLICY
        headers["X-Content-Type-Options"] = "nosniff"
        headers["Referrer-Policy"] = "same-origin"
        headers["Cross-Origin-Opener-Policy"] = "same-origin"
        headers["Permissions-Policy"] = "camera=(), microphone=(), geolocation=()"
        if https:
            headers["Strict-Transport-Security"] = "max-age=31536000"
        if not request.path.startswith("/static/"):
            # Pages show business figures of one person; neither proxies nor the back button keep them.
            headers.setdefault("Cache-Control", "no-store")
        return response
