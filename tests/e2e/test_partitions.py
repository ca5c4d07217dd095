# SPDX-License-Identifier: Apache-2.0
"""Revocation lists that share the certificates, as relying parties take them: OpenSSL and `cryptography`."""
import types
import urllib.parse

import pytest
from cryptography import x509

import scep
from admin import Admin
from house import House, wait_until
from pki import run
from test_est import PEM, Client
from test_network import mint

pytestmark = pytest.mark.pki

PARTITIONS = "revocation.partitions=3"


@pytest.fixture
def house(database):
    one = House(database, [PARTITIONS])
    try:
        one.start()
        yield one
    finally:
        one.close()


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
        assert gear.url.endswith(f"/ca/devices-{row['list_part']}.crl")
        self.admin.post(f"/certificates/{row['id']}/revocation", reason="key_compromise")

    def is_listed(self, gear, url):
        return self.listing(url).get_revoked_certificate_by_serial_number(gear.certificate.serial_number) is not None


@pytest.mark.proves_partly("4g-12")
def test_each_certificate_is_judged_by_the_list_that_it_names(house, tmp_path):
    parties = Parties(house, tmp_path)
    first, other = parties.gear_of_two_lists()
    whole = f"http://localhost:{house.ports['plain']}/ca/devices.crl"
    for gear, foreign in ((first, other), (other, first)):
        found = parties.listing(gear.url).extensions.get_extension_for_class(x509.IssuingDistributionPoint)
        assert found.critical and [one.value for one in found.value.full_name] == [gear.url]
        assert "OK" in parties.verify(gear, gear.url)
        assert "ifferent CRL scope" in parties.verify(gear, foreign.url, fails=True)
        assert "OK" in parties.verify(gear, whole)
    with pytest.raises(x509.ExtensionNotFound):
        parties.listing(whole).extensions.get_extension_for_class(x509.IssuingDistributionPoint)

    parties.revoke(first)
    wait_until(lambda: parties.is_listed(first, first.url), 60, "the serial number in its list")
    assert "certificate revoked" in parties.verify(first, first.url, fails=True)
    wait_until(lambda: parties.is_listed(first, whole), 60, "the serial number in the list of all")
    assert "certificate revoked" in parties.verify(first, whole, fails=True)
    assert not parties.is_listed(first, other.url)
    assert "OK" in parties.verify(other, other.url)

    for name in ("devices-99.crl", "devices-01.crl", "devices-0.crl", "other.cer"):
        assert house.get(f"/ca/{name}", door="plain")[0] == 404

    # fewer lists later: those that certificates name are served and made on
    house.stop()
    house.options.remove(PARTITIONS)
    house.start()
    assert parties.gear("late").url.endswith("/ca/devices.crl")
    assert "certificate revoked" in parties.verify(first, first.url, fails=True)
    parties.revoke(other)
    wait_until(lambda: parties.is_listed(other, other.url), 60, "the serial number in its list")
    assert "certificate revoked" in parties.verify(other, other.url, fails=True)
