/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who says it, where a proxy has ended the TLS of the device: the header Mdm-Signature (Apple: MDM
 * payload, SignMessage).  It holds no time: whoever has both message and header can send them again
 * for as long as the certificate lives.  That is why it counts only where it is wanted, and why no
 * log shows it.
 */
#include "channel/apple/signature.h"

#include "fleet/fleet.h"
#include "pki/message_signature.h"

bool apple_signature(struct request *request, struct reply *reply, struct err *err)
{
    (void)reply;
    const struct fleet *fleet = request->services;
    const char *signature = request_header(request, "Mdm-Signature");
    struct bytes signer;
    if (!signature || !fleet->settings->signed_messages)
        return true; /* the certificate of the connection counts, see need_device */
    if (!message_signature_check(request->owner, signature, request->body, &signer, err))
        return false;
    if (request->client_certificate.data && !bytes_equal(request->client_certificate, signer))
        return err_set(err, ERR_BAD_INPUT,
                       "the message is signed with another certificate than the connection's");
    request->client_certificate = signer;
    return true;
}
