#pragma once

// What a handler of the API sees and answers, in the words of the HTTP server that carries it (net/server.h).

#include "net/message.h"
#include "net/problem.h"

namespace holdfast::http {

using net::Handler;
using net::Header;
using net::Problem;
using net::Request;
using net::Responder;
using net::Response;
using net::Stream;

}  // namespace holdfast::http
