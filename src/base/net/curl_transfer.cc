#include "net/curl_transfer.h"

#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cstdlib>

#include "base/ascii.h"
#include "base/check.h"

namespace holdfast::net {

namespace {

constexpr std::size_t kMaxHeaderBytes = 256 << 10;
// What a request takes along to another origin: nothing that says who asks.
constexpr std::array<std::string_view, 5> kTravelling = {"accept", "accept-language", "content-type",
                                                         "idempotency-key", "user-agent"};
// What the client itself says. A request that says it, too, is read in two ways by two servers, or as meant
// for another host than the one it was granted.
constexpr std::array<std::string_view, 7> kOurs = {
    "connection", "content-length", "host", "proxy-connection", "te", "transfer-encoding", "upgrade"};

std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() &&
         (text.back() == ' ' || text.back() == '\t' || text.back() == '\r' || text.back() == '\n'))
    text.remove_suffix(1);
  return text;
}

template <std::size_t N>
bool is_among(const std::array<std::string_view, N>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), ascii_lower(name)) != names.end();
}

HttpError failed(HttpFailure failure, std::string message) {
  HttpError error;
  error.failure = failure;
  error.message = std::move(message);
  return error;
}

std::size_t header_callback(char* data, std::size_t size, std::size_t count, void* user) {
  return static_cast<Transfer*>(user)->on_header({data, size * count});
}
std::size_t body_callback(char* data, std::size_t size, std::size_t count, void* user) {
  return static_cast<Transfer*>(user)->on_body({data, size * count});
}
int progress_callback(void* user, curl_off_t, curl_off_t, curl_off_t, curl_off_t sent) {
  static_cast<Transfer*>(user)->on_progress(sent);
  return 0;
}
curl_socket_t socket_callback(void* user, curlsocktype, curl_sockaddr* address) {
  return static_cast<Transfer*>(user)->open_socket(*address);
}
// Before a request goes out on a connection, a used one too, which another request may have been allowed to
// make.
int request_callback(void* user, char* peer, char*, int, int) {
  const auto address = parse_ip(peer);
  return address && static_cast<Transfer*>(user)->may_connect(*address) ? CURL_PREREQFUNC_OK
                                                                        : CURL_PREREQFUNC_ABORT;
}

bool has_control(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](unsigned char c) { return c < 0x20 && c != '\t'; });
}

bool is_token(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(),
                                      [](unsigned char c) { return c > 0x20 && c < 0x7f && c != ':'; });
}

}  // namespace

Transfer::~Transfer() {
  stop.reset();
  forget_connection();
}

void Transfer::forget_connection() {
  if (easy != nullptr) curl_easy_cleanup(std::exchange(easy, nullptr));
  curl_slist_free_all(std::exchange(headers, nullptr));
}

// What is wrong with the request; empty when it can be sent.
std::string Transfer::defect() const {
  if (!is_token(request.method)) return "the method is not a word";
  for (const auto& [name, value] : request.headers) {
    if (!is_token(name) || has_control(value))
      return "header " + name.substr(0, 40) + " has a character that no header may have";
    if (egress == Egress::kGranted && is_among(kOurs, name))
      return "the header " + name.substr(0, 40) + " is the client's to set";
  }
  return {};
}

std::optional<HttpError> Transfer::prepare() {
  auto read = read_url(request.url);
  if (!read) return failed(HttpFailure::kBadRequest, read.error().message());
  request.url = std::move(read->url);
  origin = std::move(read->origin);
  if (std::string why = defect(); !why.empty()) return failed(HttpFailure::kBadRequest, std::move(why));
  if (egress == Egress::kGranted) {
    static const Reach kNowhere;
    const auto refused = (request.reach ? *request.reach : kNowhere).refusal(origin);
    if (refused) return failed(HttpFailure::kRefused, refused->text());
  }
  forget_connection();
  easy = curl_easy_init();
  HF_CHECK(easy != nullptr);
  set_options();
  return std::nullopt;
}

bool Transfer::may_connect(const IpAddress& address) {
  if (egress == Egress::kAnywhere) return true;
  auto refused = request.reach->refusal(origin, address);
  if (!refused) return tried = true;
  refusal = std::move(refused);
  return false;
}

curl_socket_t Transfer::open_socket(const curl_sockaddr& address) {
  if (egress == Egress::kGranted) {
    const auto ip = ip_of(address.addr);
    if (!ip || !may_connect(*ip)) return CURL_SOCKET_BAD;
  }
  return ::socket(address.family, address.socktype | SOCK_CLOEXEC, address.protocol);
}

void Transfer::deliver_head() {
  if (head_delivered) return;
  head_delivered = true;
  if (handler.head) handler.head(head);
}

std::size_t Transfer::on_header(std::string_view line) {
  last_activity = Steady::now();
  header_bytes += line.size();
  if (header_bytes > kMaxHeaderBytes) {
    failure = HttpFailure::kTooLarge;
    return 0;
  }
  // An interim answer starts over with a status line of its own.
  if (line.starts_with("HTTP/")) {
    head = {};
    const std::size_t space = line.find(' ');
    if (space != std::string_view::npos)
      head.status = std::atoi(std::string(line.substr(space + 1, 3)).c_str());
  } else if (const std::size_t colon = line.find(':'); colon != std::string_view::npos) {
    head.headers.emplace_back(ascii_lower(trim(line.substr(0, colon))),
                              std::string(trim(line.substr(colon + 1))));
  }
  return line.size();
}

std::size_t Transfer::on_body(std::string_view bytes) {
  last_activity = Steady::now();
  if (!is_redirected()) deliver_head();  // the status counts even if the body is too large
  if (body_bytes == 0 && head_delivered && !decoder) {
    auto packed = ContentDecoder::of(head.header("content-encoding"));
    if (!packed) {
      body_defect = "the server " + packed.error();
      return 0;
    }
    decoder = *std::move(packed);
  }
  // These bytes come again when it goes on.
  const std::size_t most = bytes.size() * (decoder ? ContentDecoder::kMostExpansion : 1);
  if (request.turn && body_bytes + most > kLargeExchange && !request.turn->take()) {
    waits_for_turn = true;
    return CURL_WRITEFUNC_PAUSE;
  }
  if (!decoder) return deliver(bytes) ? bytes.size() : 0;
  const bool all = decoder->add(bytes, [this](std::string_view piece) { return deliver(piece); });
  if (!all) body_defect = decoder->defect();
  return all ? bytes.size() : 0;
}

bool Transfer::deliver(std::string_view bytes) {
  body_bytes += bytes.size();
  if (body_bytes > request.max_response_bytes) {
    failure = HttpFailure::kTooLarge;
    return false;
  }
  if (head_delivered && handler.body) handler.body(bytes);
  return true;
}

std::optional<HttpError> Transfer::cut() const {
  const std::string why = decoder ? decoder->defect_at_end() : std::string();
  if (why.empty()) return std::nullopt;
  HttpError error = failed(HttpFailure::kConnection, origin.place() + ": " + why);
  error.response_started = true;
  return error;
}

// Sending a large body is activity, too.
void Transfer::on_progress(curl_off_t sent) {
  if (sent == uploaded) return;
  uploaded = sent;
  last_activity = Steady::now();
}

bool Transfer::is_redirected() const {
  const bool redirect =
      (head.status >= 301 && head.status <= 303) || head.status == 307 || head.status == 308;
  return redirect && request.follow_redirects && !head.header("location").empty();
}

std::optional<HttpError> Transfer::turn() {
  if (++redirects > kMaxRedirects) {
    return failed(HttpFailure::kConnection,
                  origin.place() + " redirected more than " + std::to_string(kMaxRedirects) + " times");
  }
  auto next = read_url(request.url, head.header("location"));
  if (!next) return failed(HttpFailure::kConnection, origin.place() + " redirected to no URL");
  if (origin.scheme == "https" && next->origin.scheme != "https") {
    return failed(HttpFailure::kRefused, origin.place() + " redirected from https to http");
  }
  if (!next->origin.same_as(origin)) {
    std::erase_if(request.headers, [](const auto& header) { return !is_among(kTravelling, header.first); });
  }
  const bool asks_anew =
      head.status == 303 ? request.method != "HEAD" : head.status < 303 && request.method == "POST";
  if (asks_anew) {
    request.method = "GET";
    request.body.clear();
    std::erase_if(request.headers,
                  [](const auto& header) { return ascii_lower(header.first) == "content-type"; });
  }
  if (request.total_timeout.count() > 0) {
    const auto spent = std::chrono::duration_cast<std::chrono::milliseconds>(Steady::now() - started);
    request.total_timeout = std::max(request.total_timeout - spent, std::chrono::milliseconds(1));
    started = Steady::now();
  }
  request.url = std::move(next->url);
  head = {};
  tried = false;
  return std::nullopt;
}

void Transfer::set_headers() {
  bool has_type = false;
  bool has_encoding = false;
  for (const auto& [name, value] : request.headers) {
    has_type = has_type || ascii_lower(name) == "content-type";
    has_encoding = has_encoding || ascii_lower(name) == "accept-encoding";
    // "Name;" is libcurl's way to send an empty header.
    const std::string line = value.empty() ? name + ";" : name + ": " + value;
    headers = curl_slist_append(headers, line.c_str());
  }
  headers = curl_slist_append(headers, "Expect:");
  if (!has_encoding) headers = curl_slist_append(headers, "Accept-Encoding: identity");
  if (!has_type) headers = curl_slist_append(headers, "Content-Type:");
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
}

void Transfer::set_options() {
  curl_easy_setopt(easy, CURLOPT_URL, request.url.c_str());
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  // Without it the loop would wait for a resolver that a request has given up on.
  curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
  curl_easy_setopt(easy, CURLOPT_USERAGENT, "holdfast");
  // Nothing packed is asked for; what comes packed all the same is unpacked here, where a body that is cut
  // off is seen. The bound counts the result.
  curl_easy_setopt(easy, CURLOPT_HTTP_CONTENT_DECODING, 0L);
  curl_easy_setopt(easy, CURLOPT_PRIVATE, this);
  curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, header_callback);
  curl_easy_setopt(easy, CURLOPT_HEADERDATA, this);
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, body_callback);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, this);
  curl_easy_setopt(easy, CURLOPT_XFERINFOFUNCTION, progress_callback);
  curl_easy_setopt(easy, CURLOPT_XFERINFODATA, this);
  curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 0L);
  curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, socket_callback);
  curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, this);
  if (egress == Egress::kGranted) {
    curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, request_callback);
    curl_easy_setopt(easy, CURLOPT_PREREQDATA, this);
  }
  curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(request.connect_timeout.count()));
  curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, static_cast<long>(request.total_timeout.count()));
  curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);  // turn() does, as the reach allows
  curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
  curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L);
  // Whatever the environment says: a proxy would resolve and connect in our place.
  curl_easy_setopt(easy, CURLOPT_PROXY, "");
  if (request.method == "HEAD") {
    curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
  } else if (!request.body.empty() || (request.method != "GET" && request.method != "DELETE")) {
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request.body.c_str());
  }
  if (request.method != "HEAD") curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request.method.c_str());
  set_headers();
}

HttpError Transfer::error(CURLcode code) const {
  HttpError error;
  error.response_started = head.status != 0;
  // A transfer that has connected can only run out of its total time; before that, libcurl's clock may be a
  // little ahead of ours.
  curl_off_t connected_us = 0;
  if (easy != nullptr) curl_easy_getinfo(easy, CURLINFO_CONNECT_TIME_T, &connected_us);
  const bool out_of_time =
      connected_us > 0 || Steady::now() - started + std::chrono::milliseconds(5) >= request.total_timeout;
  if (failure) {
    error.failure = *failure;
  } else if (refusal && (!tried || code == CURLE_ABORTED_BY_CALLBACK)) {
    error.failure = HttpFailure::kRefused;
  } else if (code == CURLE_OPERATION_TIMEDOUT && request.total_timeout.count() > 0 && out_of_time) {
    error.failure = HttpFailure::kTotalTimeout;
  } else if (code == CURLE_URL_MALFORMAT || code == CURLE_UNSUPPORTED_PROTOCOL) {
    error.failure = HttpFailure::kBadRequest;
  } else {
    error.failure = HttpFailure::kConnection;
  }
  // The rest of a URL may hold secrets.
  const std::string at = origin.place();
  switch (error.failure) {
    case HttpFailure::kIdleTimeout:
      error.message = at + " sent nothing for " + std::to_string(request.idle_timeout.count()) + " ms";
      break;
    case HttpFailure::kTotalTimeout:
      error.message = at + " did not finish within " + std::to_string(request.total_timeout.count()) + " ms";
      break;
    case HttpFailure::kTooLarge:
      error.message = at + " sent more than " + std::to_string(request.max_response_bytes) + " bytes";
      break;
    case HttpFailure::kCancelled: error.message = "the request to " + at + " was cancelled"; break;
    case HttpFailure::kRefused: error.message = refusal->text(); break;
    case HttpFailure::kConnection:
    case HttpFailure::kBadRequest:
      error.message = at + ": " + (body_defect.empty() ? curl_easy_strerror(code) : body_defect);
      break;
  }
  return error;
}

}  // namespace holdfast::net
