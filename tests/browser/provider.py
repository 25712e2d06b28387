"""An OpenID Connect provider of a few lines: discovery, authorize, token, keys; RS256."""

import base64
import json
import secrets
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlencode, urlsplit

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

CLIENT = "lnl"


def _text(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _number(value):
    return _text(value.to_bytes((value.bit_length() + 7) // 8, "big"))


class Provider(ThreadingHTTPServer):
    """Signs in whomever `person` names: claims such as sub, name and email."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Answers)
        self.url = f"http://localhost:{self.server_port}"
        self.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.person, self.codes = {}, {}

    @property
    def discovery(self):
        return f"{self.url}/.well-known/openid-configuration"

    def token(self, claims):
        head = {"alg": "RS256", "typ": "JWT", "kid": "one"}
        said = ".".join(_text(json.dumps(each).encode()) for each in (head, claims))
        signed = self.key.sign(said.encode(), padding.PKCS1v15(), hashes.SHA256())
        return f"{said}.{_text(signed)}"


class _Answers(BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def _json(self, found):
        body = json.dumps(found).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        asked = urlsplit(self.path)
        url, numbers = self.server.url, self.server.key.public_key().public_numbers()
        if asked.path.endswith("openid-configuration"):
            self._json(
                {
                    "issuer": url,
                    "authorization_endpoint": f"{url}/authorize",
                    "token_endpoint": f"{url}/token",
                    "jwks_uri": f"{url}/keys",
                    "response_types_supported": ["code"],
                    "subject_types_supported": ["public"],
                    "id_token_signing_alg_values_supported": ["RS256"],
                }
            )
        elif asked.path == "/keys":
            key = {"kty": "RSA", "kid": "one", "alg": "RS256", "use": "sig"}
            self._json({"keys": [key | {"n": _number(numbers.n), "e": _number(numbers.e)}]})
        elif asked.path == "/authorize":
            query = {name: values[0] for name, values in parse_qs(asked.query).items()}
            code = secrets.token_urlsafe()
            self.server.codes[code] = self.server.person | {"nonce": query.get("nonce")}
            self.send_response(302)
            back = urlencode({"code": code, "state": query["state"]})
            self.send_header("Location", f"{query['redirect_uri']}?{back}")
            self.end_headers()
        else:
            self.send_error(404)

    def do_POST(self):
        length = int(self.headers["Content-Length"])
        form = {
            name: values[0] for name, values in parse_qs(self.rfile.read(length).decode()).items()
        }
        now = int(time.time())
        claims = {"iss": self.server.url, "aud": CLIENT, "iat": now, "exp": now + 600}
        claims |= {k: v for k, v in self.server.codes.pop(form["code"]).items() if v is not None}
        token = self.server.token(claims)
        self._json(
            {"access_token": "x", "token_type": "Bearer", "expires_in": 600, "id_token": token}
        )


@contextmanager
def provider():
    """A provider that runs."""
    running = Provider()
    threading.Thread(target=running.serve_forever, daemon=True).start()
    yield running
    running.shutdown()
    running.server_close()
