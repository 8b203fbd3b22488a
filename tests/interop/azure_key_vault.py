"""Uses what stands in for Azure Key Vault as anybody would, by Microsoft's own libraries.

The client secret is in the environment, as AZURE_CLIENT_SECRET. Prints one line of JSON: the
versions of the key that was made.

    azure_key_vault.py ORIGIN CA_FILE TENANT CLIENT_ID
"""

import hashlib
import json
import os
import sys

from azure.core.exceptions import ClientAuthenticationError, HttpResponseError
from azure.core.exceptions import ResourceNotFoundError
from azure.identity import ClientSecretCredential
from azure.keyvault.keys import KeyClient, KeyOperation, KeyType, KeyVaultKey
from azure.keyvault.keys.crypto import CryptographyClient, SignatureAlgorithm
from azure.keyvault.secrets import KeyVaultSecret, SecretClient
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed

MESSAGE = b"header.claims"


def main() -> None:
    origin, ca_file, tenant, client_id = sys.argv[1:]

    def credential(secret: str) -> ClientSecretCredential:
        return ClientSecretCredential(
            tenant,
            client_id,
            secret,
            authority=origin,
            disable_instance_discovery=True,
            connection_verify=ca_file,
        )

    # Whose host is not Azure's, and whose certificate is the test's own.
    options = {"verify_challenge_resource": False, "connection_verify": ca_file}
    known = credential(os.environ["AZURE_CLIENT_SECRET"])
    keys = KeyClient(origin, known, **options)

    made = keys.create_rsa_key(
        "from-python",
        size=4096,
        key_operations=[KeyOperation.sign, KeyOperation.verify],
        exportable=False,
    )
    again = keys.create_rsa_key("from-python", size=4096)
    check_key(keys, made, again)
    check_signatures(CryptographyClient(made, known, **options), made)
    check_signatures(CryptographyClient(again, known, **options), again)
    check_secrets(SecretClient(origin, known, **options))
    check_refusals(keys, KeyClient(origin, credential("wrong"), **options))
    print(json.dumps([made.properties.version, again.properties.version]))


def check_key(keys: KeyClient, made: KeyVaultKey, again: KeyVaultKey) -> None:
    assert made.key_type == KeyType.rsa
    assert made.key_operations == ["sign", "verify"], made.key_operations
    assert made.properties.enabled is True
    assert made.properties.exportable is False
    assert len(made.key.n) == 512 and made.key.e == b"\x01\x00\x01"
    assert made.properties.version != again.properties.version
    assert keys.get_key("from-python").id == again.id
    assert keys.get_key("from-python", made.properties.version).key.n == made.key.n
    listed = {it.version for it in keys.list_properties_of_key_versions("from-python")}
    assert listed == {made.properties.version, again.properties.version}


def check_signatures(client: CryptographyClient, key: KeyVaultKey) -> None:
    numbers = rsa.RSAPublicNumbers(
        int.from_bytes(key.key.e, "big"), int.from_bytes(key.key.n, "big")
    )
    for name, algorithm, kind in [
        ("sha512", SignatureAlgorithm.rs512, hashes.SHA512()),
        ("sha256", SignatureAlgorithm.rs256, hashes.SHA256()),
    ]:
        digest = hashlib.new(name, MESSAGE).digest()
        signed = client.sign(algorithm, digest)
        assert signed.key_id == key.id, signed.key_id
        assert signed.algorithm == algorithm
        numbers.public_key().verify(signed.signature, digest, padding.PKCS1v15(), Prehashed(kind))
        numbers.public_key().verify(signed.signature, MESSAGE, padding.PKCS1v15(), kind)


def check_secrets(secrets: SecretClient) -> None:
    first = secrets.set_secret("a-secret", "one")
    secrets.set_secret("a-secret", "two")
    newest = secrets.get_secret("a-secret")
    assert isinstance(newest, KeyVaultSecret)
    assert newest.value == "two"
    assert secrets.get_secret("a-secret", first.properties.version).value == "one"


def check_refusals(keys: KeyClient, stranger: KeyClient) -> None:
    try:
        keys.get_key("none-of-this-name")
        raise AssertionError("there is no such key")
    except ResourceNotFoundError as error:
        assert error.error.code == "KeyNotFound", error.error
    try:
        keys.create_key("no-key", "nonsense")
        raise AssertionError("there is no such type")
    except HttpResponseError as error:
        assert error.status_code == 400 and error.error.code == "BadParameter", error
    try:
        stranger.get_key("from-python")
        raise AssertionError("the secret is wrong")
    except ClientAuthenticationError as error:
        assert "AADSTS7000215" in str(error), error


if __name__ == "__main__":
    main()
