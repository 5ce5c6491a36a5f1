/* Message-IDs as they are remembered: a hash. Pure. relay. */
#ifndef POSTERN_QUEUE_QUEUE_SEALED_H
#define POSTERN_QUEUE_QUEUE_SEALED_H

#include <stdint.h>

/* 63 bits of the SHA-256 of the Message-ID without blanks and angle brackets around it. */
int64_t queue_sealed_hash(const char *message_id);

#endif
