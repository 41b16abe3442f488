<?php
// Answers Outlook with the document of the address's domain, in which the address is the name to sign in with.
const HERE = '/etc/mailat/mail/discovery';
const ADDRESS = '/\A[A-Za-z0-9.!#$%&\'*+\/=?^_`{|}~-]{1,64}@([A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63})+)\z/';

function asked_address(): string
{
    $body = (string) file_get_contents('php://input', false, null, 0, 16384);
    if (stripos($body, '<!DOCTYPE') !== false) {
        return '';
    }
    $found = preg_match('/<(?:\w+:)?EMailAddress>\s*([^<>\s]{3,254})\s*<\//i', $body, $match);
    return $found ? html_entity_decode($match[1], ENT_QUOTES | ENT_XML1, 'UTF-8') : '';
}

$address = asked_address();
$domain = preg_match(ADDRESS, $address, $match) ? $match[1] : '';
if ($domain === '') {
    $address = '';
    $host = (string) ($_SERVER['SERVER_NAME'] ?? '');
    $domain = str_starts_with($host, 'autodiscover.') ? substr($host, strlen('autodiscover.')) : '';
}
$file = HERE . '/' . strtolower($domain) . '/autodiscover.xml';
if ($domain === '' || str_contains($domain, '/') || !is_file($file)) {
    http_response_code(404);
    exit;
}
header('Content-Type: text/xml; charset=utf-8');
header('Cache-Control: no-store');
$name = htmlspecialchars($address, ENT_QUOTES | ENT_XML1, 'UTF-8');
echo str_replace('<LoginName></LoginName>', $name === '' ? '' : "<LoginName>$name</LoginName>", file_get_contents($file));
