# What Rspamd called spam goes to Junk; nothing further is done with it.
require ["fileinto", "mailbox"];

if header :is "X-Spam" "Yes" {
  fileinto :create "Junk";
  stop;
}
