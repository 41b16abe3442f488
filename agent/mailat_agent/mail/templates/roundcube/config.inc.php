<?php
// Written by Mailat's agent from the order in force; changes made here are lost.

$$config['product_name'] = 'Mailat';
$$config['support_url'] = '';
$$config['skin'] = 'elastic';
$$config['plugins'] = ['archive', 'managesieve', 'markasjunk', 'mailat_client'];
if (class_exists('ZipArchive')) {
    $$config['plugins'][] = 'zipdownload';
}
$$config['display_product_info'] = 0;
$$config['enable_installer'] = false;
$$config['enable_spellcheck'] = false;

// Everything goes through the doors that every mail program uses, by names that certificates confirm.
$$verified = ['ssl' => [
    'verify_peer' => true,
    'verify_peer_name' => true,
    'peer_name' => '$hostname',
    'cafile' => '/etc/ssl/certs/ca-certificates.crt',
]];
$$config['imap_host'] = 'ssl://$hostname:993';
$$config['imap_conn_options'] = $$verified;
$$config['imap_timeout'] = 30;
$$config['smtp_host'] = 'ssl://$hostname:465';
$$config['smtp_conn_options'] = $$verified;
$$config['smtp_timeout'] = 60;
$$config['smtp_user'] = '%u';
$$config['smtp_pass'] = '%p';
$$config['smtp_helo_host'] = '$hostname';
$$config['managesieve_host'] = 'tls://$hostname:4190';
$$config['managesieve_conn_options'] = $$verified;
$$config['managesieve_vacation'] = 1;
$$config['managesieve_forward'] = 1;
$$config['managesieve_default'] = '';

// Who signs in, and what is kept about it. 'anna' at webmail.firm.test is anna@firm.test.
$$config['username_domain'] = '%d';
$$config['login_lc'] = 2;
$$config['login_autocomplete'] = 2;
$$config['session_lifetime'] = 30;
$$config['session_samesite'] = 'Lax';
$$config['use_https'] = true;
$$config['des_key'] = trim((string) file_get_contents('$home/des_key'));
$$config['cipher_method'] = 'AES-256-GCM';
$$config['db_dsnw'] = 'sqlite:///$home/data/roundcube.db?mode=0640';
$$config['log_driver'] = 'syslog';
$$config['syslog_id'] = 'roundcube';
$$config['log_logins'] = true;
$$config['smtp_log'] = false;

$$config['show_images'] = 0;
$$config['mdn_requests'] = 2;
$$config['max_message_size'] = '34M';
$$config['drafts_mbox'] = 'Drafts';
$$config['junk_mbox'] = 'Junk';
$$config['sent_mbox'] = 'Sent';
$$config['trash_mbox'] = 'Trash';
$$config['archive_mbox'] = 'Archive';
$$config['check_all_folders'] = false;
$$config['quota_zero_as_unlimited'] = true;
$$config['htmleditor'] = 0;
