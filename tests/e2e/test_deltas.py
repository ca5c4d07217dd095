# SPDX-License-Identifier: Apache-2.0
"""Lists of changes beside the revocation lists, as OpenSSL takes them."""
import shutil
import urllib.parse

import pytest
from cryptography import x509

from house import House, wait_until
from parties import Parties
from pki import run

pytestmark = pytest.mark.pki


@pytest.fixture
def house(database):
    one = House(database, ["revocation.delta_hours=1"])
    try:
        one.start()
        yield one
    finally:
        one.close()


def verify(parties, gear, *lists, **more):
    joined = parties.folder / "lists.pem"
    joined.write_bytes(b"".join(one.read_bytes() for one in lists))
    return run("openssl", "verify", "-CAfile", parties.folder / "root.pem", "-untrusted",
               parties.folder / "issuing.pem", "-crl_check", "-use_deltas", "-CRLfile", joined, gear.pem, **more)


def kept(parties, url, name):
    """The list at this address, and its file, which stays."""
    listing = parties.listing(url)
    shutil.copy(parties.folder / "list.pem", parties.folder / name)
    return listing, parties.folder / name


def number(listing, extension=x509.CRLNumber):
    return listing.extensions.get_extension_for_class(extension).value.crl_number


@pytest.mark.proves_partly("4g-12")
def test_who_keeps_a_list_learns_from_its_changes(house, tmp_path):
    parties = Parties(house, tmp_path)
    revoked, good = parties.gear("revoked"), parties.gear("good")
    before, base_file = kept(parties, revoked.url, "base.pem")
    [point] = before.extensions.get_extension_for_class(x509.FreshestCRL).value
    [address] = [one.value for one in point.full_name]
    assert urllib.parse.urlsplit(address).path == "/ca/devices-delta.crl"
    parties.revoke(revoked)

    def changed():
        listing, _ = kept(parties, address, "delta.pem")
        return listing.get_revoked_certificate_by_serial_number(revoked.certificate.serial_number) is not None

    wait_until(changed, 60, "the serial number in the list of changes")
    delta, delta_file = kept(parties, address, "delta.pem")
    base = delta.extensions.get_extension_for_class(x509.DeltaCRLIndicator)
    assert base.critical and number(delta, x509.DeltaCRLIndicator) <= number(before) < number(delta)
    assert "OK" in verify(parties, revoked, base_file)  # this is all that the list before knows
    assert "certificate revoked" in verify(parties, revoked, base_file, delta_file, fails=True)
    assert "OK" in verify(parties, good, base_file, delta_file)
    _, whole_file = kept(parties, revoked.url, "whole.pem")
    assert "certificate revoked" in verify(parties, revoked, whole_file, fails=True)
    for name in ("devices-1-delta.crl", "devices-0-delta.crl", "root-delta.crl", "-delta.crl"):
        assert house.get(f"/ca/{name}", door="plain")[0] == 404

    # without the wish: neither the list nor its address in the next one
    house.stop()
    house.options.remove("revocation.delta_hours=1")
    house.start()
    assert house.get("/ca/devices-delta.crl", door="plain")[0] == 404
    parties.revoke(good)
    wait_until(lambda: parties.is_listed(good, good.url), 60, "the serial number in the list")
    with pytest.raises(x509.ExtensionNotFound):
        parties.listing(good.url).extensions.get_extension_for_class(x509.FreshestCRL)
