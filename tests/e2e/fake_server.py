# SPDX-License-Identifier: Apache-2.0
"""
A small MDM server for tests of the simulator itself: enrolment link, SCEP, check-in, commands.
It is no model of ours: it shares no code with the server and checks little.
"""
import http.server
import pathlib
import plistlib
import ssl
import subprocess
import threading
import urllib.parse
import uuid

import sim

FAKE_CA = sim.BUILD / "tests" / "unit" / "sim" / "fake-ca"
TOPIC = "com.apple.mgmt.External.00000000-0000-4000-8000-000000000001"
CHALLENGE = "ABCDEFGHIJKLMNOP"


def _openssl(*words, data=None):
    return subprocess.run(["openssl", *map(str, words)], input=data, capture_output=True, check=True).stdout


def make_authority(directory):
    """ca.pem signs the server, the profiles and the devices."""
    directory = pathlib.Path(directory)
    _openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=Fake root",
             "-addext", "keyUsage=critical,keyCertSign,cRLSign,digitalSignature,keyEncipherment",
             "-keyout", directory / "ca.key", "-out", directory / "ca.pem")
    for name, extension in (("server", "subjectAltName=DNS:localhost,IP:127.0.0.1"),
                            ("signer", "keyUsage=digitalSignature"), ("stranger", "keyUsage=digitalSignature")):
        _openssl("req", "-new", "-newkey", "rsa:2048", "-nodes", "-subj", f"/CN={name}", "-addext", extension,
                 "-keyout", directory / f"{name}.key", "-out", directory / f"{name}.csr")
        _openssl("x509", "-req", "-in", directory / f"{name}.csr", "-CA", directory / "ca.pem", "-CAkey",
                 directory / "ca.key", "-days", "2", "-copy_extensions", "copyall", "-out", directory / f"{name}.pem")
    return directory


def payload(kind, **keys):
    name = str(uuid.uuid4()).upper()
    return {"PayloadType": kind, "PayloadVersion": 1, "PayloadIdentifier": f"org.example.{name}",
            "PayloadUUID": name, **keys}


def profile(identifier, *payloads, **keys):
    return {"PayloadType": "Configuration", "PayloadVersion": 1, "PayloadIdentifier": identifier,
            "PayloadUUID": str(uuid.uuid4()).upper(), "PayloadContent": list(payloads), **keys}


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, directory):
        """directory: of make_authority."""
        self.directory = self.signers = pathlib.Path(directory)
        super().__init__(("127.0.0.1", 0), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.directory / "server.pem", self.directory / "server.key")
        context.load_verify_locations(self.directory / "ca.pem")
        context.verify_mode = ssl.CERT_OPTIONAL
        self.socket = context.wrap_socket(self.socket, server_side=True)
        self.url = f"https://localhost:{self.server_address[1]}"
        self.ca = self.directory / "ca.pem"
        self.queue, self.results, self.check_ins = [], [], []
        self.statuses = []        # what the next management answers are, instead of 200
        self.refusal = b""        # body of those
        self.check_in_status = 200
        self.change_mdm, self.change_scep = {}, {}
        threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True).start()

    def sign(self, content, signer="signer"):
        return _openssl("cms", "-sign", "-nodetach", "-binary", "-md", "sha256", "-outform", "DER", "-signer",
                        self.signers / f"{signer}.pem", "-inkey", self.signers / f"{signer}.key",
                        data=plistlib.dumps(content))

    def enrolment_profile(self):
        root = ssl.PEM_cert_to_DER_cert(self.ca.read_text())
        scep = payload("com.apple.security.scep", PayloadContent={
            "URL": self.url + "/scep", "Name": "fake", "Challenge": CHALLENGE, "Keysize": 2048, "Key Type": "RSA",
            "Key Usage": 5, "Subject": [[["O", "Fake"]], [["CN", "a phone"]]], "Retries": 1, "RetryDelay": 1,
            "SubjectAltName": {"uniformResourceIdentifier": "urn:uuid:1"}, **self.change_scep})
        mdm = payload("com.apple.mdm", Topic=TOPIC, ServerURL=self.url + "/mdm", CheckInURL=self.url + "/checkin",
                      IdentityCertificateUUID=scep["PayloadUUID"], AccessRights=8191, CheckOutWhenRemoved=True,
                      **self.change_mdm)
        return profile("org.example.mdm", payload("com.apple.security.root", PayloadContent=root), scep, mdm)

    def command(self, kind, **keys):
        name = str(uuid.uuid4())
        self.queue.append({"CommandUUID": name, "Command": {"RequestType": kind, **keys}})
        return name

    def install(self, content, signer="signer"):
        return self.command("InstallProfile", Payload=self.sign(content, signer))

    def result(self, name):
        """The last result of this command."""
        return [one for one in self.results if one.get("CommandUUID") == name][-1]


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self, status, body=b"", kind="text/xml"):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def body(self):
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def do_GET(self):
        path, query = urllib.parse.urlsplit(self.path).path, urllib.parse.urlsplit(self.path).query
        operation = urllib.parse.parse_qs(query).get("operation", [""])[0]
        if operation == "GetCACaps":
            self.answer(200, b"POSTPKIOperation\nSHA-256\nAES\nSCEPStandard\n", "text/plain")
        elif operation == "GetCACert":
            self.answer(200, ssl.PEM_cert_to_DER_cert(self.server.ca.read_text()), "application/x-x509-ca-cert")
        else:
            self.answer(404)

    def do_POST(self):
        if self.path.startswith("/enrol/"):
            self.body()
            return self.answer(200, self.server.sign(self.server.enrolment_profile()),
                               "application/x-apple-aspen-config")
        done = subprocess.run([FAKE_CA, self.server.directory, CHALLENGE], input=self.body(), capture_output=True)
        self.answer(200 if done.returncode == 0 else 400, done.stdout, "application/x-pki-message")

    def do_PUT(self):
        body = self.body()
        if not self.connection.getpeercert():
            return self.answer(403)
        try:
            message = plistlib.loads(body)
        except Exception:
            return self.answer(400)
        if self.path == "/checkin":
            self.server.check_ins.append(message)
            return self.answer(self.server.check_in_status)
        if self.server.statuses:
            return self.answer(self.server.statuses.pop(0), self.server.refusal, "application/json")
        return self.managed(message)

    def managed(self, message):
        queue = self.server.queue
        if "CommandUUID" in message:
            self.server.results.append(message)
        if "CommandUUID" in message and message["Status"] != "NotNow":
            queue[:] = [one for one in queue if one["CommandUUID"] != message["CommandUUID"]]
        if message["Status"] == "NotNow" or not queue:
            return self.answer(200)
        return self.answer(200, plistlib.dumps(queue[0]))
