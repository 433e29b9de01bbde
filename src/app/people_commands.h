#pragma once

// Commands of people in the loop: answers to questions, and links by which others decide.

#include <optional>
#include <string>

#include "app/commands.h"

namespace holdfast::app {

struct AnswerOptions {
  ApiOptions api;
  std::string id;                      // of a question, or of a run that asks exactly one
  std::optional<std::string> answer;   // JSON; or the text of a form of one text
  std::optional<std::string> decline;  // why
  std::string comment;
  std::string by;
};
int answer_question(const AnswerOptions& options);

struct LinkOptions {
  ApiOptions api;
  std::string approval;
  std::string recipient;
  std::string expires;  // a duration; empty: the server's choice
  std::string link;     // to be revoked
};
int make_link(const LinkOptions& options);
int list_links(const LinkOptions& options);
int revoke_link(const LinkOptions& options);

}  // namespace holdfast::app
