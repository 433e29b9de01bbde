// Replies by mail: whatever a mail service hands over. What is read of one is bounded by it, and the first words
// decide nothing that stands only in what is quoted.

#include "http/mail_reply.h"

#include "fuzz.h"

namespace holdfast::http {

FUZZ(input) {
  REQUIRE(address_of(input).size() <= input.size());
  const auto mail = read_mail(input);
  if (!mail) {
    REQUIRE(mail.error().code() == Code::kInvalidArgument);
    return;
  }
  REQUIRE(!mail->from.empty());
  const MailWords words = words_of(mail->text);
  REQUIRE(words.word.size() + words.rest.size() <= mail->text.size());
  const std::string token = link_token_in(mail->text);
  REQUIRE(token.empty() || mail->text.find(token) != std::string::npos);
}

}  // namespace holdfast::http
