"""A mail server that writes down what it takes: mail.py LOG [tls CERTIFICATE KEY] [login USER PASSWORD] [refuse ADDRESS]

With tls it takes nothing before STARTTLS. Each message is a line of LOG: {"from", "to", "data", "user", "tls"}. The
port is a line on standard output.
"""

import asyncio
import json
import ssl
import sys

from aiosmtpd.smtp import SMTP, AuthResult

log, words = sys.argv[1], sys.argv[2:]
options = {"tls": [], "login": [], "refuse": []}
while words:
    word = words.pop(0)
    count = 1 if word == "refuse" else 2
    options[word], words = words[:count], words[count:]


class Handler:
    async def handle_RCPT(self, server, session, envelope, address, rcpt_options):
        if address in options["refuse"]:
            return "550 no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        with open(log, "a") as file:
            file.write(json.dumps({
                "from": envelope.mail_from, "to": envelope.rcpt_tos, "data": envelope.content.decode(),
                "user": session.auth_data or "", "tls": session.ssl is not None,
            }) + "\n")
        return "250 taken"


def authenticate(server, session, envelope, mechanism, data):
    is_good = [data.login.decode(), data.password.decode()] == options["login"]
    return AuthResult(success=is_good, handled=is_good, auth_data=data.login.decode() if is_good else None)


settings = {}
if options["tls"]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*options["tls"])
    settings.update(tls_context=context, require_starttls=True)
if options["login"]:
    settings.update(authenticator=authenticate, auth_required=True, auth_require_tls=bool(options["tls"]))


async def serve():
    def speak():
        return SMTP(Handler(), hostname="localhost", **settings)

    server = await asyncio.get_running_loop().create_server(speak, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


asyncio.run(serve())
