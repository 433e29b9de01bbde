// Goal: what people write above or below a quoted mail is read as they meant it, in the encodings that mail
// programs use; whatever else is none. Method: mails as they come.

#include "http/mail_reply.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace holdfast::http {
namespace {

using ::testing::HasSubstr;

const std::string kToken = "abc_DEF-1.0123456789012345678901234567890123456789_-A";

TEST(MailReply, PlainAndEncodedTextsAreRead) {
  const std::string quoted = "On Mon, Ada wrote:\r\n> decide: https://h.example/decide/" + kToken + "\r\n";
  const auto plain =
      read_mail("From: Ann <Ann@Example.com>\r\nSubject: Re: x\r\n\r\nApprove. Fine\r\n\r\n" + quoted);
  ASSERT_TRUE(plain) << plain.error().message();
  EXPECT_EQ(plain->from, "ann@example.com");
  EXPECT_FALSE(plain->automatic);
  EXPECT_EQ(words_of(plain->text).word, "approve");
  EXPECT_EQ(words_of(plain->text).rest, "Fine");
  EXPECT_EQ(link_token_in(plain->text), kToken);

  const auto parts = read_mail(
      "From: ann@example.com\r\nContent-Type: multipart/alternative;\r\n "
      "boundary=\"b1\"\r\n\r\nignored\r\n--b1\r\n"
      "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
      "reject zu teuer =E2=82=AC\r\n\r\n> https://h.example/decide/abc_DEF-1.01234567890123456789=\r\n"
      "01234567890123456789_-A\r\n--b1\r\nContent-Type: text/html\r\n\r\n<p>x</p>\r\n--b1--\r\n");
  ASSERT_TRUE(parts) << parts.error().message();
  EXPECT_EQ(words_of(parts->text).word, "reject");
  EXPECT_EQ(words_of(parts->text).rest, "zu teuer \xE2\x82\xAC");
  EXPECT_EQ(link_token_in(parts->text), kToken);

  const auto coded = read_mail(
      "From: a@b\nContent-Type: text/plain\nContent-Transfer-Encoding: base64\n\nYW5zd2VyIHllcwo=\n");
  ASSERT_TRUE(coded) << coded.error().message();
  EXPECT_EQ(words_of(coded->text).word, "answer");
  EXPECT_EQ(words_of(coded->text).rest, "yes");
}

TEST(MailReply, OwnWordsStandAboveOrBelowTheQuote) {
  EXPECT_EQ(words_of("> asked\n> twice\n\nAPPROVE!\nthanks\n-- \nAnn\n").word, "approve");
  EXPECT_EQ(words_of("> asked\n\nAPPROVE!\nthanks\n-- \nAnn\n").rest, "thanks");
  EXPECT_EQ(words_of("answer {\"a\":\n 1}\n> q").rest, "{\"a\":\n 1}");
  EXPECT_EQ(words_of("> only quoted").word, "");
  EXPECT_EQ(words_of("").word, "");
}

TEST(MailReply, WhatIsNoReplyIsSaid) {
  EXPECT_THAT(read_mail("Subject: x\r\n\r\napprove").error().message(), HasSubstr("no sender"));
  EXPECT_THAT(read_mail("From: a@b\r\nContent-Type: text/html\r\n\r\n<p>approve</p>").error().message(),
              HasSubstr("no part of plain text"));
  EXPECT_TRUE(read_mail("From: a@b\r\nAuto-Submitted: auto-replied\r\n\r\napprove")->automatic);
  EXPECT_FALSE(read_mail(std::string(kMaxMailBytes + 1, 'x')));
  std::string nested = "From: a@b\nContent-Type: multipart/mixed; boundary=b\n\n";
  for (int i = 0; i < 1000; ++i) nested += "--b\nContent-Type: multipart/mixed; boundary=b\n\n";
  EXPECT_FALSE(read_mail(nested));
  EXPECT_EQ(link_token_in("no link"), "");
  EXPECT_EQ(address_of("a@b, c@d"), "");
}

}  // namespace
}  // namespace holdfast::http
