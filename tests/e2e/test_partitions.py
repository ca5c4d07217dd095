# SPDX-License-Identifier: Apache-2.0
"""Revocation lists that share the certificates."""
import pytest
from cryptography import x509

from house import House, wait_until
from parties import Parties

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
