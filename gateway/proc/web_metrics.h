/* The status of judge and relay as Prometheus reads it (text format 0.0.4). Role web; pure. */
#ifndef POSTERN_PROC_WEB_METRICS_H
#define POSTERN_PROC_WEB_METRICS_H

#include <jansson.h>
#include <stdint.h>

#include "gateway/base/buf.h"

#define WEB_METRICS_TYPE "text/plain; version=0.0.4; charset=utf-8"
enum { WEB_METRICS_MAX = 64 * 1024 };

/* judge, relay: the "data" of their status, NULL: it does not answer; then its values are missing and its postern_up
 * is 0. What has another form than expected is left out. now_ms: unix. b has room for WEB_METRICS_MAX. */
void web_metrics(const json_t *judge, const json_t *relay, int64_t now_ms, struct buf *b);

#endif
