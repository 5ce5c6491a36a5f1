/* Name server and directory of the kit: real ones (nsd, slapd), with the configurations that init wrote, as processes
 * of this one. */
#ifndef INTEROP_NEIGHBOURS_H
#define INTEROP_NEIGHBOURS_H

#include "interop/kit/kit.h"

struct neighbours;

/* Starts those that kit.conf has addresses for, and waits until they answer (to 20 s). NULL with why. */
struct neighbours *neighbours_start(const struct kit *k, struct buf *why);
void neighbours_stop(struct neighbours *n); /* ends them by their process ids and waits */

#endif
