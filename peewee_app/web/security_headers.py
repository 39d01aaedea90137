"""Response headers that limit a page in a browser."""

import base64
import hashlib
import re

from starlette.datastructures import MutableHeaders
from starlette.types import Message, Receive, Scope, Send

from .middleware import HttpMiddleware

# Swagger UI and ReDoc set styles from their scripts, draw data: images, and ReDoc
# searches in a worker that it makes from a blob.
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'{hashes}; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; connect-src 'self'; worker-src blob:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
NO_SNIFFING = (b"x-content-type-options", b"nosniff")
PAGE_HEADERS = {
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
}
INLINE_SCRIPT = re.compile(rb"<script>(.*?)</script>", re.DOTALL)


def content_security_policy(page: bytes) -> str:
    """Return the policy for an HTML page: its own inline scripts run, and no other."""
    digests = (
        hashlib.sha256(script).digest() for script in INLINE_SCRIPT.findall(page)
    )
    hashes = (f" 'sha256-{base64.b64encode(digest).decode()}'" for digest in digests)
    return CONTENT_SECURITY_POLICY.format(hashes="".join(hashes))


class SecurityHeadersMiddleware(HttpMiddleware):
    """Let no browser guess a content type, and let pages load from this app only."""

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        page_start: Message | None = None

        async def send_with_headers(message: Message) -> None:
            nonlocal page_start
            if message["type"] == "http.response.start":
                raw = message["headers"] = [*message.get("headers", ()), NO_SNIFFING]
                if dict(raw).get(b"content-type", b"").startswith(b"text/html"):
                    page_start = message  # Held back until its scripts are known.
                    return
            elif page_start:
                headers = MutableHeaders(scope=page_start)
                headers.update(PAGE_HEADERS)
                headers["Content-Security-Policy"] = content_security_policy(
                    message.get("body", b"")
                )
                await send(page_start)
                page_start = None
            await send(message)

        await self.app(scope, receive, send_with_headers)
