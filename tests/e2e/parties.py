# SPDX-License-Identifier: Apache-2.0
"""Relying parties of the authority's certificates, as they take its lists: OpenSSL and `cryptography`."""
import types
import urllib.parse

from cryptography import x509

import scep
from admin import Admin
from pki import run
from test_est import PEM, Client
from test_network import mint


class Parties:
    """Gear with certificates, and who relies on these."""

    def __init__(self, house, folder):
        self.house, self.admin, self.folder = house, Admin(house), folder
        (folder / "root.pem").write_text(house.root_pem())
        run("openssl", "x509", "-inform", "DER", "-out", folder / "issuing.pem", "-in",
            self.file("issuing.der", "/ca/issuing.cer"))

    def file(self, name, path):
        status, _, body = self.house.get(path, door="plain")
        assert status == 200
        (self.folder / name).write_bytes(body)
        return self.folder / name

    def gear(self, name):
        client = Client(self.house, self.folder, name, scep.ec_key())
        [certificate] = client.opened(client.enrol(mint(self.admin, client)["challenge"]))
        pem = self.folder / f"{name}.pem"
        pem.write_bytes(certificate.public_bytes(PEM))
        [point] = certificate.extensions.get_extension_for_class(x509.CRLDistributionPoints).value
        [url] = [one.value for one in point.full_name]
        return types.SimpleNamespace(certificate=certificate, pem=pem, url=url)

    def gear_of_two_lists(self):
        first = self.gear("gear-0")
        for number in range(1, 24):  # the choice is random
            other = self.gear(f"gear-{number}")
            if other.url != first.url:
                return first, other
        raise AssertionError("all certificates name one list")

    def listing(self, url):
        """The list at this address, and its file as PEM."""
        path = self.file("list.der", urllib.parse.urlsplit(url).path)
        run("openssl", "crl", "-inform", "DER", "-in", path, "-out", self.folder / "list.pem")
        return x509.load_der_x509_crl(path.read_bytes())

    def verify(self, gear, url, **more):
        self.listing(url)
        return run("openssl", "verify", "-CAfile", self.folder / "root.pem", "-untrusted", self.folder / "issuing.pem",
                   "-crl_check", "-CRLfile", self.folder / "list.pem", gear.pem, **more)

    def revoke(self, gear):
        serial = f"{gear.certificate.serial_number:032x}"
        [row] = [one for one in self.admin.items("/certificates") if one["serial"] == serial]
        part = row.get("list_part", 0)
        assert gear.url.endswith(f"/ca/devices-{part}.crl" if part else "/ca/devices.crl")
        self.admin.post(f"/certificates/{row['id']}/revocation", reason="key_compromise")

    def is_listed(self, gear, url):
        return self.listing(url).get_revoked_certificate_by_serial_number(gear.certificate.serial_number) is not None
