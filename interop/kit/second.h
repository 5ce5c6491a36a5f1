/* The second judge: a program that shares no code with OpenSSL (BouncyCastle; else NSS or gpgsm for what they can
 * read), asked for what it sees in the same octets. Protocol with interop/judges/<name>: one JSON object a line in,
 * one a line out. {"id":n,"file":path of a MIME message or DER,"keys":[{"cert":pem path,"key":pem
 * path}],"anchors":[]}
 * ->
 * {"id":n,"ok":true,"layers":[{"kind":"enveloped","cipher":"aes256-cbc","recipients":[{"issuer-serial-sha256":..|"ski":..,"keys":"pkcs1"}],"opened":true},
 *     {"kind":"signed","signers":[{"cert-sha256":hex,"digest":"sha256","valid":true,"attributes":[oids]}]}],"content-sha256":hex
 * of the innermost MIME entity as it stands, CRLF}, or {"id":n,"ok":false,"cannot":"why"} (cannot judge this format),
 * or {"id":n,"ok":true,"layers":[...],"broken":"why"} (it is broken).
 * {"id":n,"hello":true} -> {"id":n,"ok":true,"name":"BouncyCastle 1.72"}. Without "key" a certificate is there to
 * know signers by. "kind" is also "auth-enveloped", "multipart-signed" or "compressed". Without "content-sha256": no
 * key opens a layer. "cert-sha256" is null where nobody knows the signer's certificate. Further members, where a
 * judge knows them (an expectation about "cipher", "recipients", "attributes" or "certificate-inside" that it does
 * not tell is not run): of a layer "opened-by" (SHA-256 of that certificate), "tag-length"; of a signer "why" (it is
 * not valid), "certificate-inside", "algorithm". A judge may end; it is started again. */
#ifndef INTEROP_SECOND_H
#define INTEROP_SECOND_H

#include <jansson.h>

#include "interop/kit/kit.h"
#include "interop/kit/world.h"

struct second;

/* Starts the program that kit.second names (auto: the best that is there; with a slash: that file). It is looked for
 * in $POSTERN_INTEROP_JUDGES, in judges/ beside the cases, beside this program, and where it was installed. NULL with
 * why: none. Safe for threads (a lock around each question). */
struct second *second_open(const struct kit *k, struct buf *why);
void second_close(struct second *j);
const char *second_name(const struct second *j); /* with version */
/* Judges a message; keys: those that may open it. NULL with why: cannot. Free with json_decref. Blocks to 30 s. */
json_t *second_judge(struct second *j, const void *octets, size_t n, const struct credential *const *keys,
    size_t n_keys, struct buf *why);

#endif
