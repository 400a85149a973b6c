#include "CMicrohttpd.h"

#include <stddef.h>

struct MHD_Daemon *cmicrohttpd_start(int listen_fd, unsigned int connections_max,
                                     unsigned int idle_seconds, MHD_AccessHandlerCallback handler,
                                     MHD_RequestCompletedCallback completed, void *context) {
  // Poll, not select: a gateway's descriptors lie far beyond FD_SETSIZE.
  return MHD_start_daemon(
      MHD_USE_POLL | MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_THREAD_PER_CONNECTION | MHD_USE_ITC,
      0, NULL, NULL, handler, context, MHD_OPTION_LISTEN_SOCKET, listen_fd,
      MHD_OPTION_CONNECTION_LIMIT, connections_max, MHD_OPTION_CONNECTION_TIMEOUT, idle_seconds,
      MHD_OPTION_NOTIFY_COMPLETED, completed, context, MHD_OPTION_END);
}

enum MHD_Result cmicrohttpd_set_idle_seconds(struct MHD_Connection *connection,
                                             unsigned int seconds) {
  return MHD_set_connection_option(connection, MHD_CONNECTION_OPTION_TIMEOUT, seconds);
}

const struct sockaddr *cmicrohttpd_client_address(struct MHD_Connection *connection) {
  const union MHD_ConnectionInfo *info =
      MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
  return info == NULL ? NULL : info->client_addr;
}
