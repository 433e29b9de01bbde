#pragma once

// The page behind a link: what is asked, and buttons, for a phone, without any script. Everything that a
// model, a tool or a person wrote is text in it and nothing else. Pure. Internal to the module.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "http/message.h"
#include "platform/records.h"
#include "protocol/human_question.h"

namespace holdfast::http {

struct DecidePage {
  const platform::Approval& approval;
  const std::optional<protocol::HumanQuestion>& question;
  std::string_view recipient;
  std::string_view form_token;                  // sent back with the decision: it comes from this page
  std::string_view reasoning;                   // what the agent said before it asked
  std::string_view wrong = {};                  // with what was sent last
  const std::vector<Header>* posted = nullptr;  // what was typed last
};

Response decide_page(const DecidePage& page, int status = 200);

// A link that is over, or was none; a decision that was taken, or was not.
Response word_page(int status, std::string_view title, std::string_view text);

// "approved by ann at 2026-12-01 09:00 UTC"
std::string outcome_of(const platform::Approval& approval);

std::string html_escaped(std::string_view text);

}  // namespace holdfast::http
