/* RUN/manifest.json: the SHA-256 of every file of a run, but of itself and of what is made from it later (its
 * signature, the countersignature): {"format": "postern-interop-manifest-1", "run": id, "files": [{"path", "size",
 * "sha256"}]}, sorted by path.
 * Paths are relative, of visible ASCII without a backslash, no part of them is empty, "." or "..", at most 512 octets
 * and 8 parts; a run has at most 100,000 files, each of at most 256 MiB. What is neither a file nor a directory (a
 * symbolic link, a socket) has no place in a run. */
#ifndef INTEROP_MANIFEST_H
#define INTEROP_MANIFEST_H

#include <jansson.h>

#include "interop/kit/util.h"

/* Names in a run's directory that the manifest does not list. */
extern const char *const manifest_later[]; /* ends with NULL */
bool manifest_path(const char *path);	   /* is a path as above */
/* The SHA-256 of a file, read in parts: size may be NULL. 0, or -1 with why. Does not follow a link. */
int manifest_file_hash(const char *path, char hex[65], int64_t *size, struct buf *why);
/* {path: {"path","size","sha256"}} of all that is below dir; without those that come later if later is false. NULL
 * with why. Free with json_decref. */
json_t *manifest_files(const char *dir, bool later, struct buf *why);
/* The manifest of a run as it is written: the same octets for the same files. 0 or -1 with why. */
int manifest_make(const char *dir, const char *run_id, struct buf *out, struct buf *why);
/* Reads and checks DIR/manifest.json. NULL with why. */
json_t *manifest_read(const char *dir, struct buf *why);
/* Compares the directory with the manifest: a sentence in why for each file that was changed, added or is missing (at
 * most 100). 0: all fit; else their number. */
size_t manifest_compare(const char *dir, const json_t *manifest, struct buf *why);

#endif
