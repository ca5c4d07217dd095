/* SPDX-License-Identifier: Apache-2.0 */
#include "pki/name_openssl.h"

#include <arpa/inet.h>

#include "base/text.h"

#define OID_TEXT_MAX 128

char *name_text(void *owner, const struct name *name)
{
    char *text = mem_text(owner, "");
    for (size_t i = 0; i < name->count; i++) {
        char *more = mem_format(owner, "%s%s%s=%s", text, i ? ", " : "", name->parts[i].type,
                                name->parts[i].value);
        mem_free(text);
        text = more;
    }
    return text;
}

const char *name_value(const struct name *name, const char *type)
{
    for (size_t i = 0; i < name->count; i++)
        if (strcmp(name->parts[i].type, type) == 0)
            return name->parts[i].value;
    return NULL;
}

char *object_digits(void *owner, const ASN1_OBJECT *object)
{
    char text[OID_TEXT_MAX];
    int size = OBJ_obj2txt(text, sizeof(text), object, 1);
    return mem_text(owner, size > 0 && size < OID_TEXT_MAX ? text : "?");
}

char *serial_hex(void *owner, const ASN1_INTEGER *serial)
{
    struct bytes magnitude = {ASN1_STRING_get0_data(serial), (size_t)ASN1_STRING_length(serial)};
    while (magnitude.size > 1 && magnitude.data[0] == 0)
        magnitude = (struct bytes){magnitude.data + 1, magnitude.size - 1};
    return magnitude.size ? text_hex(owner, magnitude) : mem_text(owner, "00");
}

/* Types that ASN1_STRING_to_UTF8 reads as text; an OCTET STRING or an INTEGER is none. */
static bool is_text(const ASN1_STRING *string)
{
    switch (ASN1_STRING_type(string)) {
    case V_ASN1_UTF8STRING:
    case V_ASN1_PRINTABLESTRING:
    case V_ASN1_IA5STRING:
    case V_ASN1_T61STRING:
    case V_ASN1_BMPSTRING:
    case V_ASN1_UNIVERSALSTRING:
    case V_ASN1_VISIBLESTRING:
    case V_ASN1_NUMERICSTRING: return true;
    default: return false;
    }
}

bool string_read(void *owner, const ASN1_STRING *string, size_t limit, char **out, struct err *err)
{
    unsigned char *utf8 = NULL;
    /* 4: the widest encoding of a character; looked at before anything is converted */
    if (!is_text(string) || (size_t)ASN1_STRING_length(string) > limit * 4)
        return err_set(err, ERR_BAD_INPUT, "not a text of at most %zu bytes", limit);
    int size = ASN1_STRING_to_UTF8(&utf8, string);
    char *text = size >= 0 && (size_t)size <= limit
                     ? bytes_to_text(owner, (struct bytes){utf8, (size_t)size})
                     : NULL;
    if (size >= 0)
        OPENSSL_clear_free(utf8, (size_t)size);
    ERR_clear_error();
    if (!text)
        return err_set(err, ERR_BAD_INPUT, "not a text of at most %zu bytes", limit);
    *out = text;
    return true;
}

static const char *type_name(void *owner, const ASN1_OBJECT *object)
{
    int nid = OBJ_obj2nid(object);
    return nid == NID_undef ? object_digits(owner, object) : mem_text(owner, OBJ_nid2sn(nid));
}

bool name_read(void *owner, const X509_NAME *name, struct name *out, struct err *err)
{
    int count = X509_NAME_entry_count(name);
    if (count < 0 || count > NAME_PARTS_MAX)
        return err_set(err, ERR_BAD_INPUT, "a name of more than %d attributes", NAME_PARTS_MAX);
    struct name_part *parts = mem_array(owner, struct name_part, (size_t)count + 1);
    for (int i = 0; i < count; i++) {
        const X509_NAME_ENTRY *entry = X509_NAME_get_entry(name, i);
        char *value;
        if (X509_NAME_ENTRY_set(entry) != i)
            return err_set(err, ERR_BAD_INPUT, "several attributes in one part of a name");
        if (!string_read(parts, X509_NAME_ENTRY_get_data(entry), NAME_VALUE_MAX, &value, err))
            return err_context(err, "name");
        parts[i] = (struct name_part){type_name(parts, X509_NAME_ENTRY_get_object(entry)), value};
    }
    *out = (struct name){parts, (size_t)count};
    return true;
}

bool name_parse(void *owner, struct bytes der, struct name *out, struct err *err)
{
    CLEANUP(X509_NAME_free_at) X509_NAME *name = DER_READ(d2i_X509_NAME, der);
    if (!name)
        return openssl_fail(err, ERR_BAD_INPUT, "not a name");
    return name_read(owner, name, out, err);
}

/* ---- alternative names ---- */

static bool address_read(void *owner, const ASN1_OCTET_STRING *octets, char **out, struct err *err)
{
    char text[INET6_ADDRSTRLEN];
    int size = ASN1_STRING_length(octets);
    int family = size == 4 ? AF_INET : size == 16 ? AF_INET6 : 0;
    if (!family || !inet_ntop(family, ASN1_STRING_get0_data(octets), text, sizeof(text)))
        return err_set(err, ERR_BAD_INPUT, "an IP address of %d bytes", size);
    *out = mem_text(owner, text);
    return true;
}

static bool other_read(void *owner, const OTHERNAME *other, char **out, struct err *err)
{
    if (OBJ_obj2nid(other->type_id) != NID_ms_upn || other->value->type != V_ASN1_UTF8STRING)
        return err_set(err, ERR_BAD_INPUT, "an alternative name of an unknown kind");
    return string_read(owner, other->value->value.utf8string, NAME_VALUE_MAX, out, err);
}

static bool alternative_read(void *owner, const GENERAL_NAME *name, struct alternative *out,
                             struct err *err)
{
    char *value = NULL;
    bool good = false;
    switch (name->type) {
    case GEN_DNS:
        out->kind = ALTERNATIVE_DNS;
        good = string_read(owner, name->d.dNSName, NAME_VALUE_MAX, &value, err);
        break;
    case GEN_EMAIL:
        out->kind = ALTERNATIVE_EMAIL;
        good = string_read(owner, name->d.rfc822Name, NAME_VALUE_MAX, &value, err);
        break;
    case GEN_URI:
        out->kind = ALTERNATIVE_URI;
        good = string_read(owner, name->d.uniformResourceIdentifier, NAME_VALUE_MAX, &value, err);
        break;
    case GEN_IPADD:
        out->kind = ALTERNATIVE_IP;
        good = address_read(owner, name->d.iPAddress, &value, err);
        break;
    case GEN_OTHERNAME:
        out->kind = ALTERNATIVE_UPN;
        good = other_read(owner, name->d.otherName, &value, err);
        break;
    default: return err_set(err, ERR_BAD_INPUT, "an alternative name of an unknown kind");
    }
    out->value = value;
    return good;
}

bool alternatives_read(void *owner, const GENERAL_NAMES *names, struct alternatives *out,
                       struct err *err)
{
    int count = sk_GENERAL_NAME_num(names);
    if (count < 0 || count > NAME_ALTERNATIVES_MAX)
        return err_set(err, ERR_BAD_INPUT, "more than %d alternative names", NAME_ALTERNATIVES_MAX);
    struct alternative *items = mem_array(owner, struct alternative, (size_t)count + 1);
    for (int i = 0; i < count; i++)
        if (!alternative_read(items, sk_GENERAL_NAME_value(names, i), &items[i], err))
            return false;
    *out = (struct alternatives){items, (size_t)count};
    return true;
}
