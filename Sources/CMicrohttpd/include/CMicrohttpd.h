#pragma once
// What Swift cannot call in libmicrohttpd: its variadic functions. No logic.
#include <microhttpd.h>

/// Starts a daemon that polls `listen_fd`, which it closes when it is stopped, and gives each
/// connection a thread. NULL, with errno set, when it cannot start.
struct MHD_Daemon *cmicrohttpd_start(int listen_fd, unsigned int connections_max,
                                     unsigned int idle_seconds, MHD_AccessHandlerCallback handler,
                                     MHD_RequestCompletedCallback completed, void *context);

/// Sets after how many idle seconds a connection is closed; 0 is never.
enum MHD_Result cmicrohttpd_set_idle_seconds(struct MHD_Connection *connection,
                                             unsigned int seconds);

/// The address of a connection's client, which lives as long as the connection; NULL when it is
/// not known.
const struct sockaddr *cmicrohttpd_client_address(struct MHD_Connection *connection);
