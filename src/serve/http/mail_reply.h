#pragma once

// A reply to a mail that asked somebody to decide: who wrote it, which link stands in what it quotes, and
// what its own first words say. From the raw message (RFC 822 and MIME, as far as replies need it) or from
// the fields that mail services hand over. Pure; nothing of it is trusted. Internal to the module.

#include <cstddef>
#include <string>
#include <string_view>

#include "holdfast/status.h"

namespace holdfast::http {

inline constexpr std::size_t kMaxMailBytes = 1 << 20;

struct Mail {
  std::string from;        // the address alone
  std::string text;        // decoded, with what it quotes
  bool automatic = false;  // nobody wrote it: an out-of-office note, a bounce
};

// INVALID_ARGUMENT says what is not there: a sender, a text that can be read.
Result<Mail> read_mail(std::string_view message);
// "Ann <ann@example.com>" -> "ann@example.com", in lower case; empty: there is none.
std::string address_of(std::string_view mailbox);

struct MailWords {
  std::string word;  // approve, reject, answer, in lower case; or whatever the first word is
  std::string rest;  // behind it, without what is quoted and the signature
};
MailWords words_of(std::string_view text);

// What stands behind "/decide/" in the text; empty: nothing does.
std::string link_token_in(std::string_view text);

}  // namespace holdfast::http
