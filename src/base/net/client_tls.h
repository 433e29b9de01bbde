#pragma once

// An HTTP client that trusts an authority of its own choice beside none of the machine's: for a server whose
// certificate a private authority has signed. The file is read at each connection.

#include <memory>
#include <string>

#include "net/http_client.h"

namespace holdfast::net {

struct ClientTls {
  std::string ca_file;  // certificates of authorities (PEM); empty: those of the machine
};

// As curl_http_client(loop, egress). `unix_socket`: the path of a socket of this machine through which every
// request goes, whatever host its URL names; empty: each goes to its host.
std::unique_ptr<HttpClient> curl_http_client(Executor& loop, Egress egress, ClientTls tls,
                                             std::string unix_socket = {});

}  // namespace holdfast::net
