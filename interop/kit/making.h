/* `init` at work: what is gathered from the statements of all cases until it is written. */
#ifndef INTEROP_MAKING_H
#define INTEROP_MAKING_H

#include <jansson.h>

#include "interop/kit/case_file.h"
#include "interop/kit/kit.h"
#include "interop/kit/pki.h"

enum zone { ZONE_PLAIN, ZONE_SIGNED, ZONE_BOGUS, ZONES };
extern const char *const zone_labels[ZONES]; /* "", "signed.", "bogus." before the kit's domain */

struct domain {
	char *name; /* in the case: "p" or another */
	char *domain;
	enum zone zone;
};

struct making {
	const struct kit *kit;
	char *dir; /* DIR/world */
	time_t now;
	struct buf zones[ZONES], ldif, index, names, revoked_dir;
	unsigned entries; /* of the directory */
	unsigned files;	  /* of the web server */
	json_t *partners, *certificates, *anchors;
	/* of the case at hand */
	const struct case_file *c;
	struct domain *domains;
	size_t n_domains;
	char *case_dir;
	unsigned n_keys;
};

/* {p}, {NAME}, {own}, {kit}, {host}, {http}, {case}; others stay as they are (they are of a run). NULL with why; free
 * it. */
char *making_text(struct making *m, const char *text, struct buf *why);
const struct domain *making_domain(const struct making *m, const char *name);
/* The partner domain that an address or domain belongs to: the longest that fits. NULL: none of this case. */
const struct domain *making_domain_of(const struct making *m, const char *address);

/* The files of a certificate: by name within the case, or an authority of the world. Free both strings. */
void making_paths(const struct making *m, const char *name, char **cert, char **key);
/* `cert`: makes key, certificate and chain unless they are there. */
int making_cert(struct making *m, const struct stmt *st, struct buf *why);
/* The authorities of the world (good, sub, evil) and the kit's own TLS certificate. */
int making_authorities(struct making *m, struct buf *why);
/* `publish`, `zone` */
int making_publish(struct making *m, const struct stmt *st, struct buf *why);
/* A page of the web server with these octets; url: what leads there, to be freed; NULL if of no interest. */
int making_page(struct making *m, const char *path, const char *type, const struct buf *octets, struct buf *why);
/* Zones, name server, directory: files written, zones signed. */
int making_zones(struct making *m, struct buf *why);
int making_directory(struct making *m, struct buf *why);
/* setup.json, partners.p7b, INSTRUCTIONS.html */
int making_instructions(struct making *m, struct buf *why);
/* Runs a program with its output in a file of DIR/world, to its end. 0, or -1 with why. */
int making_run(struct making *m, const char *directory, const char *const argv[], const struct buf *input,
    struct buf *output, struct buf *why);

#endif
