#pragma once

// One request of the libcurl client, from its URL to the end of its response, over the redirects between.
// Owned by the client, whose loop thread alone uses it; `cancelled` is set by any. Internal to the module.

#include <curl/curl.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <stop_token>

#include "net/content_decoder.h"
#include "net/http_client.h"

struct sockaddr;

namespace holdfast::net {

struct Transfer {
  using Steady = std::chrono::steady_clock;

  Transfer(HttpRequest request_in, HttpHandler handler_in, Egress egress_in)
      : request(std::move(request_in)), handler(std::move(handler_in)), egress(egress_in) {}
  ~Transfer();
  Transfer(const Transfer&) = delete;
  Transfer& operator=(const Transfer&) = delete;

  // Makes `easy` for request.url. What keeps it from being sent; none: it can be.
  std::optional<HttpError> prepare();
  // What has arrived is a redirect that is to be followed.
  bool is_redirected() const;
  // Turns the request to where the redirect leads.
  std::optional<HttpError> turn();
  void deliver_head();
  HttpError error(CURLcode code) const;
  // Of a body that has come to its end, why it is not all of it; none: it is.
  std::optional<HttpError> cut() const;

  // libcurl's callbacks.
  std::size_t on_header(std::string_view line);
  std::size_t on_body(std::string_view bytes);
  void on_progress(curl_off_t sent);
  // May a connection to this address be made, or used? It is the one that was resolved: nobody asks again.
  bool may_connect(const IpAddress& address);
  curl_socket_t open_socket(const curl_sockaddr& address);

  std::uint64_t id = 0;
  HttpRequest request;
  HttpHandler handler;
  const Egress egress;
  Origin origin;
  CURL* easy = nullptr;
  curl_slist* headers = nullptr;
  Steady::time_point started;
  Steady::time_point last_activity;
  int redirects = 0;
  HttpHead head;
  bool head_delivered = false;
  std::size_t header_bytes = 0;
  std::size_t body_bytes = 0;               // unpacked
  std::unique_ptr<ContentDecoder> decoder;  // of a body that is packed, once it begins
  std::string body_defect;                  // why the body cannot be read
  bool waits_for_turn = false;              // libcurl was told to pause
  curl_off_t uploaded = 0;
  std::optional<HttpFailure> failure;  // why a callback stopped the transfer
  std::optional<Refusal> refusal;      // of an address; what counts when no other could be tried
  bool tried = false;                  // an address that may be connected to
  std::atomic<bool> cancelled = false;
  std::optional<std::stop_callback<std::move_only_function<void()>>> stop;

 private:
  std::string defect() const;
  void set_options();
  void set_headers();
  void forget_connection();
  bool deliver(std::string_view bytes);
};

}  // namespace holdfast::net
