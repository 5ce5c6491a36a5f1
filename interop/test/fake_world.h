/* A world in memory for tests of the parts that make and judge messages. */
#ifndef INTEROP_FAKE_WORLD_H
#define INTEROP_FAKE_WORLD_H

#include "interop/kit/world.h"

/* Certificates by name: sig (RSA, to sign), enc, other (RSA, to encrypt), both, ec (P-256), ecsig; gateway: gsig and
 * genc without their keys. */
struct world *fake_world(void);
void fake_world_free(struct world *w);
/* Writes NAME.pem, NAME.key of all and ca.pem into dir. */
void fake_world_write(struct world *w, const char *dir);
/* The gateway's credential with its key, for what the gateway would do. */
const struct credential *fake_world_gateway(struct world *w, char use);

#endif
