#include "net/mail.h"

#include <curl/curl.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstring>
#include <exception>
#include <optional>

#include <fmt/format.h>

#include "base/check.h"

namespace holdfast::net {

namespace {

using Steady = std::chrono::steady_clock;

// What libcurl's callbacks see.
struct Sending {
  const Mail& mail;
  const std::stop_token& stop;
  const Heartbeat& heartbeat;
  Origin origin;
  std::size_t given = 0;  // of mail.message
  bool all_given = false;
  bool tried = false;
  std::optional<Refusal> refusal{};
  Steady::time_point next_beat = Steady::now();

  std::size_t read(char* into, std::size_t room) {
    const std::size_t count = std::min(room, mail.message.size() - given);
    std::memcpy(into, mail.message.data() + given, count);
    given += count;
    if (count == 0) all_given = true;
    return count;
  }
  curl_socket_t open(const curl_sockaddr& address) {
    const auto ip = ip_of(address.addr);
    if (!ip) return CURL_SOCKET_BAD;
    if (auto refused = mail.reach->refusal(origin, *ip)) {
      refusal = std::move(refused);
      return CURL_SOCKET_BAD;
    }
    tried = true;
    return ::socket(address.family, address.socktype | SOCK_CLOEXEC, address.protocol);
  }
  // What the beat throws must not go through libcurl.
  std::exception_ptr thrown{};
  int progress() {
    if (stop.stop_requested()) return 1;
    if (!heartbeat.beat || Steady::now() < next_beat) return 0;
    next_beat = Steady::now() + heartbeat.every;
    try {
      heartbeat.beat();
    } catch (...) {
      thrown = std::current_exception();
      return 1;
    }
    return 0;
  }
};

std::size_t read_callback(char* into, std::size_t size, std::size_t count, void* user) {
  return static_cast<Sending*>(user)->read(into, size * count);
}
curl_socket_t socket_callback(void* user, curlsocktype, curl_sockaddr* address) {
  return static_cast<Sending*>(user)->open(*address);
}
int progress_callback(void* user, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  return static_cast<Sending*>(user)->progress();
}
std::size_t drop_callback(char*, std::size_t size, std::size_t count, void*) {
  return size * count;
}

struct Free {
  void operator()(CURL* easy) const { curl_easy_cleanup(easy); }
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};

std::string domain_of(const std::string& address) {
  const std::size_t at = address.rfind('@');
  return at == std::string::npos ? "localhost" : address.substr(at + 1);
}

void set_options(CURL* easy, Sending& sending, const std::string& url, const std::string& from,
                 const curl_slist* to) {
  const Mail& mail = sending.mail;
  curl_easy_setopt(easy, CURLOPT_URL, url.c_str());
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, mail.security == MailSecurity::kTls ? "smtps" : "smtp");
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_PROXY, "");
  curl_easy_setopt(
      easy, CURLOPT_USE_SSL,
      static_cast<long>(mail.security == MailSecurity::kNone ? CURLUSESSL_NONE : CURLUSESSL_ALL));
  curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
  curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L);
  if (!mail.user.empty()) {
    curl_easy_setopt(easy, CURLOPT_USERNAME, mail.user.c_str());
    curl_easy_setopt(easy, CURLOPT_PASSWORD, mail.password.c_str());
  }
  curl_easy_setopt(easy, CURLOPT_MAIL_FROM, from.c_str());
  curl_easy_setopt(easy, CURLOPT_MAIL_RCPT, to);
  curl_easy_setopt(easy, CURLOPT_UPLOAD, 1L);
  curl_easy_setopt(easy, CURLOPT_READFUNCTION, read_callback);
  curl_easy_setopt(easy, CURLOPT_READDATA, &sending);
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, drop_callback);
  curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, socket_callback);
  curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, &sending);
  curl_easy_setopt(easy, CURLOPT_XFERINFOFUNCTION, progress_callback);
  curl_easy_setopt(easy, CURLOPT_XFERINFODATA, &sending);
  curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 0L);
  const long timeout_ms = static_cast<long>(mail.timeout.count());
  curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, std::min(timeout_ms, 10'000L));
  curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, timeout_ms);
}

MailOutcome not_sent(std::string why) {
  MailOutcome out;
  out.message = std::move(why);
  return out;
}

MailOutcome outcome_of(CURL* easy, CURLcode code, const Sending& sending) {
  MailOutcome out;
  const std::string place = sending.origin.place();
  if (code == CURLE_OK) {
    out.end = MailEnd::kSent;
    return out;
  }
  if (sending.refusal && !sending.tried) return not_sent(sending.refusal->text());
  long answer = 0;
  curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &answer);
  if (answer >= 400) return not_sent(fmt::format("{} refused the mail with {}", place, answer));
  // Without the dot at the end a mail is none.
  out.end = sending.all_given ? MailEnd::kUnknown : MailEnd::kNotSent;
  out.message = fmt::format("{}: {}", place, curl_easy_strerror(code));
  return out;
}

}  // namespace

Result<Origin> mail_origin(const std::string& host, std::uint16_t port, MailSecurity security) {
  auto read = read_host(host);
  if (!read) return fail(read.error());
  Origin out;
  out.scheme = security == MailSecurity::kNone ? "http" : "https";
  out.host = *std::move(read);
  out.port = port;
  return out;
}

MailOutcome send_mail(const Mail& mail, const std::stop_token& stop, const Heartbeat& heartbeat) {
  static const bool ready = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
  HF_CHECK(ready);
  auto origin = mail_origin(mail.host, mail.port, mail.security);
  if (!origin) return not_sent(std::string(origin.error().message()));
  if (!mail.reach) return not_sent("the mail may go nowhere");
  if (const auto refused = mail.reach->refusal(*origin)) return not_sent(refused->text());
  Sending sending{.mail = mail, .stop = stop, .heartbeat = heartbeat, .origin = *origin};
  const std::unique_ptr<CURL, Free> easy(curl_easy_init());
  HF_CHECK(easy != nullptr);
  std::unique_ptr<curl_slist, Free> to;
  for (const std::string& one : mail.to) {
    curl_slist* longer = curl_slist_append(to.get(), ("<" + one + ">").c_str());
    HF_CHECK(longer != nullptr);
    (void)to.release();
    to.reset(longer);
  }
  const std::string url = fmt::format("{}://{}/{}", mail.security == MailSecurity::kTls ? "smtps" : "smtp",
                                      origin->place(), domain_of(mail.from));
  const std::string from = "<" + mail.from + ">";
  set_options(easy.get(), sending, url, from, to.get());
  const CURLcode code = curl_easy_perform(easy.get());
  if (sending.thrown) std::rethrow_exception(sending.thrown);
  return outcome_of(easy.get(), code, sending);
}

}  // namespace holdfast::net
