# SPDX-License-Identifier: Apache-2.0
"""The edge alone: nginx (or HAProxy) with the configuration that musterd prints, in front of a listener that
answers every request with what it was sent."""
import datetime
import http.client
import ipaddress
import json
import signal
import socket
import socketserver
import ssl
import subprocess
import threading

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from house import House, wait_until

HAPROXY = "/usr/sbin/haproxy"
NOW = datetime.datetime.utcnow()
DAY = datetime.timedelta(days=1)


def name_of(text):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


class Authority:
    """A certificate authority that signs what a test asks for."""

    def __init__(self, name, issuer=None):
        self.name, self.key = name_of(name), ec.generate_private_key(ec.SECP256R1())
        self.issuer = issuer or self
        self.certificate = self._sign(self.issuer, self.name, self.key.public_key(), NOW - DAY,
                                      NOW + 365 * DAY, [x509.BasicConstraints(True, None)])

    @staticmethod
    def _sign(issuer, subject, public, start, end, extensions):
        builder = (x509.CertificateBuilder().subject_name(subject).issuer_name(issuer.name)
                   .public_key(public).serial_number(x509.random_serial_number())
                   .not_valid_before(start).not_valid_after(end))
        for extension in extensions:
            builder = builder.add_extension(extension, critical=True)
        return builder.sign(issuer.key, hashes.SHA256())

    def issue(self, folder, name, use, start=NOW - DAY, end=NOW + 30 * DAY, key=None, chain=()):
        """(certificate file, key file, certificate)"""
        key = key or ec.generate_private_key(ec.SECP256R1())
        extensions = [x509.BasicConstraints(False, None), x509.ExtendedKeyUsage([use]),
                      x509.SubjectAlternativeName([
                          x509.DNSName("localhost"),
                          x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])]
        certificate = self._sign(self, name_of(name), key.public_key(), start, end, extensions)
        paths = folder / f"{name}.pem", folder / f"{name}.key"
        paths[0].write_bytes(b"".join(pem(one) for one in (certificate, *chain)))
        paths[1].write_bytes(key.private_bytes(serialization.Encoding.PEM,
                                               serialization.PrivateFormat.PKCS8,
                                               serialization.NoEncryption()))
        return *paths, certificate


def pem(certificate):
    return certificate.public_bytes(serialization.Encoding.PEM)


class Echo(socketserver.StreamRequestHandler):
    """Answers with the request's head as JSON: what reached the inside, byte for byte.  /hold waits before."""

    def handle(self):
        lines = []
        while (line := self.rfile.readline()) not in (b"\r\n", b""):
            lines.append(line.decode("latin-1").rstrip("\r\n"))
        if not lines:
            return
        headers = [line.partition(": ")[::2] for line in lines[1:]]
        size = int(dict((name.lower(), value) for name, value in headers).get("content-length", 0))
        body = self.rfile.read(size)
        if lines[0].split()[1] == "/hold":
            self.server.held += 1
            self.server.release.wait(60)
        answer = json.dumps({"door": self.server.door, "line": lines[0], "headers": headers,
                             "body": len(body)}).encode()
        self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n"
                         % len(answer) + answer)


class Inside(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True

    def __init__(self, path, door):
        self.door, self.held, self.release = door, 0, threading.Event()
        super().__init__(str(path), Echo)


class BehindHaproxy(House):
    """A whole house whose edge is an HAProxy that somebody else runs."""

    def __init__(self, database="", settings=()):
        super().__init__(database, ["edge.mode=external", *settings])
        self.proxy = None

    def is_ready(self):
        if self.proxy is None:
            if not self.is_ready_at("metrics"):
                return False
            config = self.folder / "haproxy.conf"
            config.write_bytes(subprocess.run(self.command("edge-config", "haproxy"), check=True,
                                              capture_output=True, timeout=30).stdout)
            with open(self.log, "ab") as log:
                self.proxy = subprocess.Popen([HAPROXY, "-db", "-f", config], stdin=subprocess.DEVNULL,
                                              stdout=log, stderr=log)
        assert self.proxy.poll() is None, self.log_text()
        return super().is_ready()

    def stop(self, seconds=60):
        if self.proxy is not None:
            self.proxy.terminate()
            self.proxy.wait(seconds)
            self.proxy = None
        return super().stop(seconds)


class Edge(House):
    """Has the options and the ways of talking of a house, but only nginx runs."""

    def __init__(self, kind="nginx", settings=()):
        super().__init__(settings=settings)
        self.kind = kind
        self.files, self.servers = self.run / "edge", []
        for folder in (self.files, self.run / "edge-tmp", self.run / "sockets"):
            folder.mkdir(parents=True)
        self.root = Authority("root")
        self.issuing = Authority("issuing", self.root)
        use = ExtendedKeyUsageOID.SERVER_AUTH
        self.root.issue(self.files, "tls-p256", use)
        self.root.issue(self.files, "tls-rsa", use, key=rsa.generate_private_key(65537, 2048))
        (self.files / "device-ca.pem").write_bytes(
            pem(self.issuing.certificate) + pem(self.root.certificate))
        for name in ("tls-p256", "tls-rsa"):
            both = [(self.files / f"{name}.{ending}").read_bytes() for ending in ("pem", "key")]
            (self.files / f"{name}.both").write_bytes(b"".join(both))
        self.config = self.folder / f"{kind}.conf"

    def print_config(self, kind):
        return subprocess.run(self.command("edge-config", kind), check=True, capture_output=True,
                              text=True, timeout=30).stdout

    def start(self):
        self.config.write_text(self.print_config(self.kind))
        command = {"nginx": ["/usr/sbin/nginx", "-e", "stderr", "-p", self.folder, "-c", self.config],
                   "haproxy": [HAPROXY, "-db", "-f", self.config]}[self.kind]
        for door in ("front", "device", "plain"):
            server = Inside(self.run / "sockets" / door, door)
            threading.Thread(target=server.serve_forever, daemon=True).start()
            self.servers.append(server)
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log,
                                            stderr=log)
        wait_until(self.is_ready, 30, "the edge")

    def is_ready(self):
        assert self.process.poll() is None, self.log_text()
        try:
            return self.get("/", door="plain")[0] == 200
        except OSError:
            return False

    def stop(self, seconds=40):
        if self.process is not None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(seconds)
            self.process = None
        for server in self.servers:
            server.shutdown()
            server.server_close()
        self.servers.clear()

    def context(self, client=None):
        context = ssl.create_default_context(cadata=pem(self.root.certificate).decode())
        if client:
            context.load_cert_chain(client[0], client[1])
        return context

    def client(self, name, authority=None, **options):
        """A client certificate with its chain: (certificate file, key file, certificate)."""
        authority = authority or self.issuing
        return authority.issue(self.folder, name, ExtendedKeyUsageOID.CLIENT_AUTH,
                               chain=[authority.certificate], **options)

    def seen(self, door="front", client=None, path="/", method="GET", headers=(), body=None):
        """(status, what the inside saw): the head as a dictionary of lists, or the raw body."""
        connection = http.client.HTTPSConnection("127.0.0.1", self.ports[door], timeout=20,
                                                 context=self.context(client))
        try:
            connection.request(method, path, headers=dict(headers), body=body)
            answer = connection.getresponse()
            content = answer.read()
        finally:
            connection.close()
        if answer.status != 200:
            return answer.status, content
        told = json.loads(content)
        values = {}
        for name, value in told["headers"]:
            values.setdefault(name.lower(), []).append(value)
        return answer.status, {**told, "headers": values}
