#pragma once

// Cookies of this server. With TLS browsers bind one to the host and send it over TLS alone. Internal to the
// module; pure.

#include <chrono>
#include <string_view>

#include "http/message.h"

namespace holdfast::http {

// Of that name; empty: there is none.
std::string_view cookie(const Request& request, std::string_view name);
// `same_site`: Strict or Lax.
Header set_cookie(const Request& request, std::string_view name, std::string_view value,
                  std::string_view same_site, std::chrono::seconds lasts);

}  // namespace holdfast::http
