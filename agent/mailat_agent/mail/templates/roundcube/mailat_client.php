<?php
// Tells Dovecot whose browser it is, so that it slows down and blocks who guesses passwords, and nobody else;
// and lets people write in the name that the dashboard has for them, until they choose another one here.
class mailat_client extends rcube_plugin
{
    public function init()
    {
        $this->add_hook('storage_connect', [$this, 'name_client']);
        $this->add_hook('login_after', [$this, 'name_person']);
    }

    public function name_client($options)
    {
        $options['preauth_ident'] = ['x-originating-ip' => $_SERVER['REMOTE_ADDR'] ?? ''];
        return $options;
    }

    public function name_person($options)
    {
        $rcmail = rcmail::get_instance();
        $address = $rcmail->user->get_username();
        $file = (string) @file_get_contents('/etc/mailat/mail/roundcube/names.json');
        $name = (json_decode($file, true) ?: [])[$address] ?? '';
        $before = (string) $rcmail->config->get('mailat_name', '');
        if ($name === $before) {
            return $options;
        }
        foreach ($rcmail->user->list_identities() as $one) {
            if ($one['email'] === $address && (string) $one['name'] === $before) {
                $rcmail->user->update_identity($one['identity_id'], ['name' => $name]);
            }
        }
        $rcmail->user->save_prefs(['mailat_name' => $name]);
        return $options;
    }
}
