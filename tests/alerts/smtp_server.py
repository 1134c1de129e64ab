#!/usr/bin/python3
"""A mail server for tests: aiosmtpd, on a port of the system's choice, that writes each mail as a line of JSON.

The port goes to the file `port`, mails to `mails` in the directory given; `tls` is starttls, implicit or none.
"""
import argparse
import asyncio
import email
import email.policy
import json
import os
import ssl

from aiosmtpd.smtp import SMTP, AuthResult


class Keeper:
    def __init__(self, options):
        self.options = options

    async def handle_RCPT(self, server, session, envelope, address, rcpt_options):
        if address.startswith("unknown"):
            return "550 nobody here has that name"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        raw = envelope.content
        mail = email.message_from_bytes(raw, policy=email.policy.default)
        body = mail.get_body(("plain",))
        line = {
            "from": envelope.mail_from,
            "to": envelope.rcpt_tos,
            "tls": server.transport.get_extra_info("ssl_object") is not None,
            "login": session.login_data.decode() if session.login_data else None,
            "header_names": mail.keys(),
            "headers": {name: str(value) for name, value in mail.items()},
            "body": body.get_content().replace("\r\n", "\n"),
            "longest_line": max(len(part) for part in raw.split(b"\r\n")),
        }
        with open(os.path.join(self.options.directory, "mails"), "a", encoding="utf-8") as out:
            out.write(json.dumps(line) + "\n")
        return "250 kept"


def authenticator(user, password):
    def check(server, session, envelope, mechanism, data):
        good = data.login == user.encode() and data.password == password.encode()
        return AuthResult(success=good, auth_data=data, handled=False)

    return check


async def main(options):
    context = None
    if options.tls != "none":
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(options.certificate)
    settings = {}
    if options.tls == "starttls":
        settings.update(tls_context=context, require_starttls=True)
    if options.user:
        settings.update(
            auth_required=True,
            auth_require_tls=options.tls == "starttls",
            authenticator=authenticator(options.user, options.password),
        )

    def make():
        return SMTP(Keeper(options), hostname="mail.test", **settings)

    implicit = context if options.tls == "implicit" else None
    server = await asyncio.get_running_loop().create_server(make, "127.0.0.1", options.port, ssl=implicit)
    port = os.path.join(options.directory, "port")
    with open(port + ".part", "w", encoding="ascii") as out:
        out.write(str(server.sockets[0].getsockname()[1]))
    os.rename(port + ".part", port)
    await server.serve_forever()


parser = argparse.ArgumentParser()
parser.add_argument("directory")
parser.add_argument("--tls", default="none", choices=["none", "starttls", "implicit"])
parser.add_argument("--certificate", help="PEM file with key and certificate")
parser.add_argument("--user")
parser.add_argument("--password")
parser.add_argument("--port", type=int, default=0)
asyncio.run(main(parser.parse_args()))
