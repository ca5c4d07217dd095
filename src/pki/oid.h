/* SPDX-License-Identifier: Apache-2.0 */
/* Object identifiers as the content of their DER encoding, for initialisers of uint8_t arrays. */
#pragma once

#define OID_PKCS_ARC 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01 /* 1.2.840.113549.1 */
#define OID_RSA OID_PKCS_ARC, 1, 1
#define OID_RSA_SHA256 OID_PKCS_ARC, 1, 11
#define OID_RSA_SHA384 OID_PKCS_ARC, 1, 12
#define OID_RSA_SHA512 OID_PKCS_ARC, 1, 13
#define OID_RSA_SHA1 OID_PKCS_ARC, 1, 5
#define OID_DATA OID_PKCS_ARC, 7, 1
#define OID_SIGNED_DATA OID_PKCS_ARC, 7, 2
#define OID_ENVELOPED_DATA OID_PKCS_ARC, 7, 3
#define OID_CONTENT_TYPE OID_PKCS_ARC, 9, 3
#define OID_MESSAGE_DIGEST OID_PKCS_ARC, 9, 4

#define OID_DES3_CBC 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 3, 7 /* 1.2.840.113549.3.7 */
#define OID_SHA1 0x2b, 14, 3, 2, 26                           /* 1.3.14.3.2.26 */

#define OID_NIST_ARC 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04 /* 2.16.840.1.101.3.4 */
#define OID_AES128_CBC OID_NIST_ARC, 1, 2
#define OID_AES192_CBC OID_NIST_ARC, 1, 22
#define OID_AES256_CBC OID_NIST_ARC, 1, 42
#define OID_SHA256 OID_NIST_ARC, 2, 1
#define OID_SHA384 OID_NIST_ARC, 2, 2
#define OID_SHA512 OID_NIST_ARC, 2, 3

#define OID_SCEP_ARC                                                                               \
    0x60, 0x86, 0x48, 0x01, 0x86, 0xf8, 0x45, 0x01, 0x09 /* 2.16.840.1.113733.1.9 */
#define OID_SCEP_MESSAGE_TYPE OID_SCEP_ARC, 2
#define OID_SCEP_PKI_STATUS OID_SCEP_ARC, 3
#define OID_SCEP_FAIL_INFO OID_SCEP_ARC, 4
#define OID_SCEP_SENDER_NONCE OID_SCEP_ARC, 5
#define OID_SCEP_RECIPIENT_NONCE OID_SCEP_ARC, 6
#define OID_SCEP_TRANSACTION OID_SCEP_ARC, 7
#define OID_SCEP_FAIL_TEXT 0x2b, 6, 1, 5, 5, 7, 24, 1 /* 1.3.6.1.5.5.7.24.1 */

#define OID_APPLE_ARC 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x63, 0x64 /* 1.2.840.113635.100 */
