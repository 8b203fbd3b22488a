"""Uses what stands in for Google Cloud KMS as anybody would, by Google's own libraries.

Prints one line of JSON: the names of the key's versions.

    google_cloud_kms.py ORIGIN KEY_RING
"""

import hashlib
import json
import sys
import time

import google_crc32c
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding
from google.api_core import exceptions
from google.auth.credentials import AnonymousCredentials
from google.cloud import kms

MESSAGE = b"header.claims"
ALGORITHM = kms.CryptoKeyVersion.CryptoKeyVersionAlgorithm.RSA_SIGN_PKCS1_4096_SHA512
STATE = kms.CryptoKeyVersion.CryptoKeyVersionState


def main() -> None:
    origin, key_ring = sys.argv[1:]
    client = kms.KeyManagementServiceClient(
        transport="rest",
        credentials=AnonymousCredentials(),
        client_options={"api_endpoint": origin},
    )
    key = create(client, key_ring)
    version = wait_for_version(client, key)
    check_signature(client, version)
    check_refusals(client, key_ring, version)
    listed = client.list_crypto_key_versions(
        request={"parent": key.name, "filter": "state=ENABLED", "page_size": 1}
    )
    print(json.dumps([it.name for it in listed]))


def create(client: kms.KeyManagementServiceClient, key_ring: str) -> kms.CryptoKey:
    key = client.create_crypto_key(
        request={
            "parent": key_ring,
            "crypto_key_id": "from-python",
            "crypto_key": {
                "purpose": kms.CryptoKey.CryptoKeyPurpose.ASYMMETRIC_SIGN,
                "version_template": {
                    "algorithm": ALGORITHM,
                    "protection_level": kms.ProtectionLevel.SOFTWARE,
                },
            },
        }
    )
    assert key.name == f"{key_ring}/cryptoKeys/from-python"
    assert key.purpose == kms.CryptoKey.CryptoKeyPurpose.ASYMMETRIC_SIGN
    assert key.version_template.algorithm == ALGORITHM
    assert client.get_crypto_key(name=key.name).name == key.name
    return key


def wait_for_version(
    client: kms.KeyManagementServiceClient, key: kms.CryptoKey
) -> kms.CryptoKeyVersion:
    seen = []
    for _ in range(50):
        version = client.get_crypto_key_version(name=f"{key.name}/cryptoKeyVersions/1")
        seen.append(version.state)
        if version.state == STATE.ENABLED:
            break
        time.sleep(0.02)
    assert seen[0] == STATE.PENDING_GENERATION and seen[-1] == STATE.ENABLED, seen
    assert version.algorithm == ALGORITHM
    assert version.protection_level == kms.ProtectionLevel.SOFTWARE
    return version


def check_signature(
    client: kms.KeyManagementServiceClient, version: kms.CryptoKeyVersion
) -> None:
    public = client.get_public_key(name=version.name)
    assert isinstance(public, kms.PublicKey)
    assert public.name == version.name and public.algorithm == ALGORITHM
    assert public.pem_crc32c == google_crc32c.value(public.pem.encode())
    key = serialization.load_pem_public_key(public.pem.encode())
    assert key.key_size == 4096

    digest = hashlib.sha512(MESSAGE).digest()
    signed = client.asymmetric_sign(
        request={
            "name": version.name,
            "digest": {"sha512": digest},
            "digest_crc32c": google_crc32c.value(digest),
        }
    )
    assert isinstance(signed, kms.AsymmetricSignResponse)
    assert signed.name == version.name
    assert signed.verified_digest_crc32c is True
    assert signed.signature_crc32c == google_crc32c.value(signed.signature)
    key.verify(signed.signature, MESSAGE, padding.PKCS1v15(), hashes.SHA512())
    unsummed = client.asymmetric_sign(
        request={"name": version.name, "digest": {"sha512": digest}}
    )
    assert unsummed.verified_digest_crc32c is False


def check_refusals(
    client: kms.KeyManagementServiceClient, key_ring: str, version: kms.CryptoKeyVersion
) -> None:
    digest = hashlib.sha512(MESSAGE).digest()
    refused(409, "ALREADY_EXISTS", lambda: create(client, key_ring))
    refused(404, "NOT_FOUND", lambda: client.get_public_key(name=f"{version.name}9"))
    refused(
        400,
        "INVALID_ARGUMENT",
        lambda: client.asymmetric_sign(
            request={"name": version.name, "digest": {"sha512": digest}, "digest_crc32c": 1}
        ),
    )
    refused(
        400,
        "INVALID_ARGUMENT",
        lambda: client.asymmetric_sign(
            request={
                "name": version.name,
                "digest": {"sha256": hashlib.sha256(MESSAGE).digest()},
            }
        ),
    )


def refused(code: int, status: str, call) -> None:
    try:
        call()
    except exceptions.GoogleAPICallError as error:
        assert (error.code, error.response.json()["error"]["status"]) == (code, status), error
        return
    raise AssertionError(f"{status} was expected")


if __name__ == "__main__":
    main()
