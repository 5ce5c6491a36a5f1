/*
 * Who may connect to the public listener, decided before TLS costs anything: connections at a time, of all and of one
 * client; new ones within a second, of all and of one client; how long one may last, however busy it keeps itself.
 * When all places are taken the oldest connection of the client that has the most gives way, so that one more honest
 * client always finds a place. A share of both is for known clients (known_share; 0: none): strangers get no new
 * connection beyond the rest, and push known ones out only while those have more places than that. Role public:
 * entered by the loop, told of starts and ends by the thread that serves. A client is an IPv4 address or an IPv6
 * network of 64 bits.
 */
#ifndef POSTERN_PROC_PUBLIC_GATE_H
#define POSTERN_PROC_PUBLIC_GATE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "gateway/proc/public_settings.h"

/* Connections that gave way and are not closed yet. */
enum { PUBLIC_GATE_ENDING = 1024 };

struct public_gate;
/* set: stays. Never NULL. */
struct public_gate *public_gate_new(const struct public_settings *set);
void public_gate_free(struct public_gate *g);
/* A connection was accepted; now: loop_now_ms. false: a limit is reached, to be closed. */
bool public_gate_enter(struct public_gate *g, int fd, const struct sockaddr *sa, int64_t now);
/* It is being served from now on: fd stays open until public_gate_left. Any thread. */
void public_gate_started(struct public_gate *g, int fd);
/* Before fd is closed. Any thread; what was never entered is passed over. */
void public_gate_left(struct public_gate *g, int fd);
/* Ends those that last too long. To be called every second. */
void public_gate_look(struct public_gate *g, int64_t now);
/* How many were turned away or ended since the last call; for the log. */
unsigned public_gate_refused(struct public_gate *g);

#endif
